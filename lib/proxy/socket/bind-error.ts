/** Why a listener could not be had, in words for the person who asked for it. */
import { formatListen } from '../../model/address.ts';
import { ExitCode, SluiceError } from '../../model/errors.ts';
import type { HostPort, Protocol } from '../../model/spec.ts';

/** The error for `code` (`EADDRINUSE`, …), which the system gave for binding `at`. */
export function bindError(protocol: Protocol, at: HostPort, code: string): SluiceError {
  const where = formatListen({ protocol, ...at });
  switch (code) {
    case 'EADDRINUSE':
      return new SluiceError('ERR_SLUICE_ADDRESS_IN_USE', `${where} is already in use`, {
        remedy: `stop what listens there (ss -lnp 'sport = :${at.port}' shows it) or choose another port`,
      });
    case 'EACCES':
      return new SluiceError('ERR_SLUICE_ADDRESS_FORBIDDEN', `${where} may not be bound by this user`, {
        exitCode: ExitCode.missing,
        remedy: 'use a port from 1024 on, or run with CAP_NET_BIND_SERVICE',
      });
    case 'EADDRNOTAVAIL':
      return new SluiceError('ERR_SLUICE_ADDRESS_NOT_LOCAL', `${where} is not an address of this machine`, {
        remedy: 'use one that `ip address` lists, or :PORT for all of them',
      });
    default:
      return new SluiceError('ERR_SLUICE_BIND', `${where} cannot be bound (${code})`, {
        remedy: 'check the address',
      });
  }
}
