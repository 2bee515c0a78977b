/**
 * Plain data with typed arrays in it, as JSON: each array once, in base64, and a number in every place where it stands.
 *
 *     {"arrays":[{"Uint16Array":"AAEC…"}],"value":{"table":{"array":0}}}
 */
const kinds = { Uint8Array, Uint16Array, Uint32Array, Int32Array, Float64Array } as const;

type Kind = keyof typeof kinds;

type TypedArray = InstanceType<(typeof kinds)[Kind]>;

const reference = 'array';

/** Writes data, of which typed arrays may be shared memory. */
export function toPortable(value: unknown): string {
  const arrays: TypedArray[] = [];
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (!isTypedArray(part)) return part;
    if (!arrays.includes(part)) arrays.push(part);
    return { [reference]: arrays.indexOf(part) };
  });
  const encoded = arrays.map((array) => ({ [kindOf(array)]: base64Of(array) }));
  return `{"arrays":${JSON.stringify(encoded)},"value":${text}}`;
}

/** Reads what `toPortable` has written; arrays that were one are one again. */
export function fromPortable<Value>(text: string): Value {
  const { arrays, value } = JSON.parse(text) as {
    arrays: Readonly<Partial<Record<Kind, string>>>[];
    value: unknown;
  };
  const decoded = arrays.map((encoded) => {
    const [[kind, base64]] = Object.entries(encoded) as [[Kind, string]];
    return arrayOf(kind, base64);
  });
  const revive = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(revive);
    if (typeof part !== 'object' || part === null) return part;
    const entries = Object.entries(part);
    const [[key, index] = []] = entries;
    if (entries.length === 1 && key === reference && typeof index === 'number') return decoded[index];
    return Object.fromEntries(entries.map(([name, inner]) => [name, revive(inner)]));
  };
  return revive(value) as Value;
}

function isTypedArray(value: unknown): value is TypedArray {
  return Object.values(kinds).some((kind) => value instanceof kind);
}

function kindOf(array: TypedArray): string {
  return Object.entries(kinds).find(([, kind]) => array instanceof kind)![0];
}

function base64Of({ buffer, byteOffset, byteLength }: TypedArray): string {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString('base64');
}

function arrayOf(kind: Kind, base64: string): TypedArray {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  const Made = kinds[kind];
  return new Made(bytes.buffer, 0, bytes.length / Made.BYTES_PER_ELEMENT);
}
