/** What can go wrong with a queue, under codes that never change, and how the kernel's errno become them. */
import { getSystemErrorName } from 'node:util';

export type NetfilterQueueErrorCode =
  /** The process may not use NFQUEUE: it lacks CAP_NET_ADMIN in its network namespace. */
  | 'ERR_NFQ_NOT_PERMITTED'
  /** Another socket, of this process or another one, has this queue. */
  | 'ERR_NFQ_BUSY'
  /** The kernel lacks NFQUEUE, or what was asked of it. */
  | 'ERR_NFQ_UNSUPPORTED'
  /** There is no native part for this machine. */
  | 'ERR_NFQ_NO_BINARY'
  /** The queue was closed. */
  | 'ERR_NFQ_CLOSED'
  /** A number is out of its range; a verdict was given twice. */
  | 'ERR_NFQ_ARGUMENT'
  /** A system call failed in a way that has no code of its own; `errno` tells. */
  | 'ERR_NFQ_SYSTEM';

/** The only type of error that this package throws. */
export class NetfilterQueueError extends Error {
  readonly code: NetfilterQueueErrorCode;
  /** The kernel's word for it, as in `EPERM`, if it was the kernel that refused. */
  readonly errno: string | undefined;

  constructor(code: NetfilterQueueErrorCode, message: string, errno?: string) {
    super(message);
    this.name = 'NetfilterQueueError';
    this.code = code;
    this.errno = errno;
  }
}

/** The error for a queue that could not be opened; `negatedErrno` is what the native part returned. */
export function openError(queueNumber: number, negatedErrno: number): NetfilterQueueError {
  const errno = getSystemErrorName(negatedErrno);
  switch (errno) {
    case 'EPERM':
    case 'EACCES':
      return new NetfilterQueueError(
        'ERR_NFQ_NOT_PERMITTED',
        `not permitted to open queue ${queueNumber}: it takes root or CAP_NET_ADMIN`,
        errno,
      );
    case 'EBUSY':
      return new NetfilterQueueError(
        'ERR_NFQ_BUSY',
        `queue ${queueNumber} is in use by another socket`,
        errno,
      );
    case 'EPROTONOSUPPORT':
    case 'EAFNOSUPPORT':
      return new NetfilterQueueError(
        'ERR_NFQ_UNSUPPORTED',
        'kernel lacks NFQUEUE: it takes the module nfnetlink_queue',
        errno,
      );
    case 'ENOTSUP': // EOPNOTSUPP has the same number
      return new NetfilterQueueError(
        'ERR_NFQ_UNSUPPORTED',
        'kernel lacks an option that was asked for: failOpen takes Linux 3.6, gso 3.10',
        errno,
      );
    default:
      return systemError(`open queue ${queueNumber}`, negatedErrno);
  }
}

/** The error for anything else that the kernel refused. */
export function systemError(what: string, negatedErrno: number): NetfilterQueueError {
  const errno = getSystemErrorName(negatedErrno);
  return new NetfilterQueueError('ERR_NFQ_SYSTEM', `cannot ${what}: ${errno}`, errno);
}
