/**
 * PostgreSQL's texts hold every character but NUL, and a job must not be lost for the sake of one: NUL is written as
 * two characters, of which the first is a code point that Unicode sets apart for such uses. Which text is equal to
 * which does not change. Half a surrogate pair becomes U+FFFD on its way to either database.
 */
const MARK = "\ufdd0";
const NUL = "\0";

/** Written after the mark: what stands for NUL, and for the mark itself. */
const CODES = { nul: "0", mark: "1" } as const;

export function encodeText(text: string): string {
  if (!text.includes(NUL) && !text.includes(MARK)) return text;
  return text.replaceAll(MARK, MARK + CODES.mark).replaceAll(NUL, MARK + CODES.nul);
}

export function decodeText(text: string): string {
  if (!text.includes(MARK)) return text;
  return text.replaceAll(MARK + CODES.nul, NUL).replaceAll(MARK + CODES.mark, MARK);
}

/** A bound value as it goes to the server. */
export function encodeValue(value: unknown): unknown {
  if (typeof value === "string") return encodeText(value);
  return Array.isArray(value) ? value.map(encodeValue) : value;
}
