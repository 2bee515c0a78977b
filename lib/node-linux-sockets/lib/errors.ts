/** What can go wrong, under codes that never change, and how the kernel's errno become them. */
import { getSystemErrorName } from 'node:util';

export type LinuxSocketErrorCode =
  /** The process lacks a capability for it. */
  | 'ERR_SOCKETS_NOT_PERMITTED'
  /** The name of the device is taken. */
  | 'ERR_SOCKETS_BUSY'
  /** The kernel, or this container, does not have it. */
  | 'ERR_SOCKETS_UNSUPPORTED'
  /** There is no native part for this machine, or it does not load. */
  | 'ERR_SOCKETS_NO_BINARY'
  /** The socket or device was closed. */
  | 'ERR_SOCKETS_CLOSED'
  /** An argument is out of its range. */
  | 'ERR_SOCKETS_ARGUMENT'
  /** A system call failed in a way that has no code of its own; `errno` tells. */
  | 'ERR_SOCKETS_SYSTEM';

/** The only type of error that this package throws. */
export class LinuxSocketError extends Error {
  readonly code: LinuxSocketErrorCode;
  /** The kernel's word for it, as in `EPERM`, if it was the kernel that refused. */
  readonly errno: string | undefined;

  constructor(code: LinuxSocketErrorCode, message: string, errno?: string) {
    super(message);
    this.name = 'LinuxSocketError';
    this.code = code;
    this.errno = errno;
  }
}

/** The error for a raw socket that could not be opened; `negatedErrno` is what the native part returned. */
export function rawSocketError(negatedErrno: number): LinuxSocketError {
  const errno = getSystemErrorName(negatedErrno);
  switch (errno) {
    case 'EPERM':
    case 'EACCES':
      return new LinuxSocketError(
        'ERR_SOCKETS_NOT_PERMITTED',
        'not permitted to open a raw socket: it takes root or CAP_NET_RAW, and CAP_NET_ADMIN for a mark',
        errno,
      );
    case 'EAFNOSUPPORT':
      return new LinuxSocketError('ERR_SOCKETS_UNSUPPORTED', 'the kernel lacks this family of IP', errno);
    default:
      return systemError('open a raw socket', negatedErrno);
  }
}

/** The error for a TUN device called `name` that could not be made. */
export function tunError(name: string, negatedErrno: number): LinuxSocketError {
  const errno = getSystemErrorName(negatedErrno);
  switch (errno) {
    case 'EPERM':
    case 'EACCES':
      return new LinuxSocketError(
        'ERR_SOCKETS_NOT_PERMITTED',
        `not permitted to make the TUN device ${name}: it takes root or CAP_NET_ADMIN`,
        errno,
      );
    case 'EBUSY':
      return new LinuxSocketError('ERR_SOCKETS_BUSY', `there is a device ${name} already`, errno);
    case 'ENOENT':
    case 'ENXIO':
    case 'ENODEV':
      return new LinuxSocketError(
        'ERR_SOCKETS_UNSUPPORTED',
        'there is no TUN here: it takes the module tun and, in a container, the device /dev/net/tun',
        errno,
      );
    default:
      return systemError(`make the TUN device ${name}`, negatedErrno);
  }
}

/** The error for anything else that the kernel refused. */
export function systemError(what: string, negatedErrno: number): LinuxSocketError {
  const errno = getSystemErrorName(negatedErrno);
  return new LinuxSocketError('ERR_SOCKETS_SYSTEM', `cannot ${what}: ${errno}`, errno);
}

/** `value`, or `ERR_SOCKETS_ARGUMENT` if it is no integer from `least` to `most`. */
export function within(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new LinuxSocketError(
    'ERR_SOCKETS_ARGUMENT',
    `${name} is ${value}, not an integer from ${least} to ${most}`,
  );
}
