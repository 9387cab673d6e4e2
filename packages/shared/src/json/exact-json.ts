/**
 * JSON whose integers stay as they came. `JSON.parse` turns every number into a double, so an integer beyond 2^53
 * becomes another one without a word. `parseJson` returns such an integer as a bigint; `JSON.stringify` writes a bigint
 * as that integer, in this process and for every library in it. Decimals are doubles, as everywhere in JSON; a number
 * beyond the range of doubles, which would come out as null, is refused.
 */

/**
 * Only such numbers may change: those with 16 or more digits, and those with an exponent of three digits. Each attempt
 * begins behind a character that no number contains, so the time is linear.
 */
const MAY_CHANGE = /(?:^|[\s:,[])-?(?:\d[\d.]{15}|\d[\d.]*[eE]\+?\d{3})/;
const INTEGER = /^-?\d+$/;

/** More digits are no id and no amount; converting them takes time that grows faster than their number. */
const MAX_DIGITS = 1_000;
const MAX_SHOWN_CHARS = 40;

/** A number that cannot be kept as it came. */
export class NumberOutOfRange extends SyntaxError {
  override readonly name = "NumberOutOfRange";

  constructor(source: string) {
    super(`the number ${source.slice(0, MAX_SHOWN_CHARS)} is out of range`);
  }
}

/** Whether a JSON text may hold a number that `JSON.parse` changes. It may say so of a text in quotes as well. */
export const mayChange = (text: string): boolean => MAY_CHANGE.test(text);

/** Throws a `SyntaxError`, for a number out of range a `NumberOutOfRange`. */
export const parseJson = (text: string): unknown =>
  mayChange(text) ? JSON.parse(text, keepIntegers) : JSON.parse(text);

/**
 * For JSON whose writer nobody here can ask for another one, such as a tool's result: a number that cannot be kept
 * becomes the text of it, because one number must not cost the rest.
 */
export const parseForeignJson = (text: string): unknown =>
  mayChange(text) ? JSON.parse(text, keepOrQuote) : JSON.parse(text);

/** An object's JSON that this platform wrote itself. */
export const parseObject = (text: string): Record<string, unknown> => parseJson(text) as Record<string, unknown>;

/** TypeScript's library does not know this function yet. */
type Json = typeof JSON & { rawJSON(text: string): unknown };

/** A reviver. */
function keepIntegers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== "number" || source === undefined || Number.isSafeInteger(value)) return value;
  if (INTEGER.test(source)) {
    if (source.length > MAX_DIGITS) throw new NumberOutOfRange(source);
    return BigInt(source);
  }
  if (!Number.isFinite(value)) throw new NumberOutOfRange(source);
  return value;
}

function keepOrQuote(...entry: Parameters<typeof keepIntegers>): unknown {
  try {
    return keepIntegers(...entry);
  } catch (error) {
    if (!(error instanceof NumberOutOfRange)) throw error;
    return entry[2]?.source;
  }
}

/** A reviver for the bodies of requests: integers stay as they came, and texts and names are well-formed. */
export function reviveBody(key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value === "string") return value.isWellFormed() ? value : value.toWellFormed();
  if (typeof value !== "object" || value === null || Array.isArray(value)) return keepIntegers(key, value, context);
  const names = Object.keys(value);
  if (names.every((name) => name.isWellFormed())) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name.toWellFormed(), inner]));
}

Object.defineProperty(BigInt.prototype, "toJSON", {
  configurable: true,
  writable: true,
  value(this: bigint): unknown {
    return (JSON as Json).rawJSON(this.toString());
  },
});
