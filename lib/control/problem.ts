/** Errors on their way through the control socket: `SluiceError` → HTTP status and JSON → the same `SluiceError`. */
import { ExitCode, SluiceError } from '../model/errors.ts';

/** The body of every answer that is not a success. */
export interface Problem {
  readonly error: {
    readonly code: SluiceError['code'];
    readonly message: string;
    readonly remedy?: string;
    readonly place?: string;
    readonly exitCode: ExitCode;
  };
}

/** As it is sent; the cause stays where it is. */
export function toProblem({ code, message, remedy, place, exitCode }: SluiceError): Problem {
  return {
    error: {
      code,
      message,
      ...(remedy === undefined ? {} : { remedy }),
      ...(place === undefined ? {} : { place }),
      exitCode,
    },
  };
}

/** Undefined if the document is not a problem: whoever wrote it was not sluice. */
export function fromProblem(document: unknown): SluiceError | undefined {
  if (!isProblem(document)) return undefined;
  const { code, message, ...options } = document.error;
  return new SluiceError(code, message, options);
}

function isProblem(document: unknown): document is Problem {
  const { error } = (document ?? {}) as Partial<Problem>;
  return typeof error?.code === 'string' && error.code.startsWith('ERR_SLUICE_');
}

/** For the codes that say more than their exit code does. */
const statusByCode: Readonly<Record<string, number>> = {
  ERR_SLUICE_NO_SUCH_BACKEND: 404,
  ERR_SLUICE_NO_SUCH_PATH: 404,
  ERR_SLUICE_METHOD_NOT_ALLOWED: 405,
  ERR_SLUICE_BUSY: 409,
  ERR_SLUICE_NO_CONFIGURATION: 409,
  ERR_SLUICE_BODY_TOO_LARGE: 413,
};

const statusByExitCode: Readonly<Partial<Record<ExitCode, number>>> = {
  [ExitCode.usage]: 400,
  [ExitCode.configInvalid]: 422,
};

/** 4xx where the caller can do something about it, else 500. */
export function httpStatusOf({ code, exitCode }: SluiceError): number {
  return statusByCode[code] ?? statusByExitCode[exitCode] ?? 500;
}
