/** The values of flags that are more than text. */
import { SluiceError } from '../model/errors.ts';

/** What `parse` makes of the value, if the flag was given; where that is refused, the error points to the flag. */
export function readFlag<Value>(
  flag: `--${string}`,
  text: string | undefined,
  parse: (text: string) => Value,
): Value | undefined {
  if (text === undefined) return undefined;
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const { code, message, exitCode, remedy } = error;
    throw new SluiceError(code, message, {
      exitCode,
      place: flag,
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
}
