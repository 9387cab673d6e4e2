/**
 * Decodes the bytes of a text. In this order: a byte order mark; valid UTF-8, which other encodings hardly ever are by
 * chance; UTF-16 by its bytes below 32, which a text in a charset of single or multiple bytes has not; what the client
 * or the HTML declares; and last what the frequencies of characters say.
 */
import { isUtf8 } from "node:buffer";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { analyse } from "chardet";

/** The bytes that are looked at for an encoding. */
const SAMPLE = 64 * 1_024;
const META_SAMPLE = 4_096;
/** Below it, the detector guesses. */
const SURE = 15;
/** What a guess is among: texts of few characters are too short for frequencies. */
const USUAL = ["gb18030", "windows-1252"];

export type DecodeOptions = { readonly isHtml?: boolean };

/** Throws `unsupported_encoding`. */
export function decodeText(bytes: Uint8Array, charset?: string, { isHtml = false }: DecodeOptions = {}): string {
  const marked = byOrderMark(bytes);
  if (marked !== null) return decode(bytes, marked) ?? unknownEncoding();
  if (isUtf8(bytes) && !bytes.includes(0)) {
    return (switchesSets(bytes) ? decode(bytes, "iso-2022-jp") : null) ?? decode(bytes, "utf-8") ?? unknownEncoding();
  }
  const sample = bytes.subarray(0, SAMPLE);
  const wide = sample.some(isControl) ? decodeUtf16(bytes) : null;
  if (wide !== null) return wide;
  if (sample.includes(0)) return unknownEncoding();
  const declared = [charset, isHtml ? charsetOfMeta(bytes) : undefined].filter((label) => label !== undefined);
  for (const label of [...declared, ...likely(sample)]) {
    const text = decode(bytes, label);
    if (text !== null) return text;
  }
  return unknownEncoding();
}

/** Whether the runtime knows the encoding. */
export function isKnownCharset(label: string): boolean {
  try {
    return new TextDecoder(label).encoding !== "replacement";
  } catch {
    return false;
  }
}

function unknownEncoding(): never {
  throw new PlatformError("unsupported_encoding", { message: "The document's text is in no known encoding." });
}

/** Null if it is no valid text of the encoding, or the encoding is not known. */
function decode(bytes: Uint8Array, label: string): string | null {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function byOrderMark([first, second, third]: Uint8Array): string | null {
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : null;
}

/** Control characters that no text has; in UTF-16 they are half of a character. */
const isControl = (byte: number): boolean => byte < 9 || (byte > 13 && byte < 32);

/** Null unless nearly all characters are ones that texts consist of. */
function decodeUtf16(bytes: Uint8Array): string | null {
  if (bytes.length % 2 !== 0) return null;
  const sample = bytes.subarray(0, SAMPLE);
  const [best] = ["utf-16le", "utf-16be"]
    .map((label) => ({ label, share: shareOfUsual(new TextDecoder(label).decode(sample)) }))
    .toSorted((one, other) => other.share - one.share);
  return best !== undefined && best.share > 0.9 ? decode(bytes, best.label) : null;
}

/** Letters, digits, marks, punctuation and symbols of the blocks that living languages use, and blanks. */
const USUAL_RANGES = [
  ...[9, 13, 0x20, 0x7e, 0xa0, 0x24f, 0x370, 0x6ff, 0x900, 0x109f, 0x1e00, 0x206f, 0x20a0, 0x22ff],
  ...[0x3000, 0x30ff, 0x3400, 0x4dbf, 0x4e00, 0x9fff, 0xac00, 0xd7a3, 0xd800, 0xdfff, 0xff01, 0xffee],
];

function shareOfUsual(text: string): number {
  let usual = 0;
  let ascii = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    // The number of ends of ranges up to the code is odd within a range.
    const above = USUAL_RANGES.findIndex((end, index) => (index % 2 === 0 ? end > code : end >= code));
    if (above % 2 === 1) usual += 1;
    if (code < 0x80 || (code >= 0x3000 && code < 0x3100)) ascii += 1;
  }
  // Blanks, line breaks and punctuation tell the order of the bytes where both orders give letters.
  return (usual + ascii / 1_000) / Math.max(1, text.length);
}

/** ISO-2022-JP consists of ASCII and changes between sets of characters with ESC and one of two marks. */
const switchesSets = (bytes: Uint8Array): boolean =>
  ["\x1b$", "\x1b("].some((change) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(change));

function charsetOfMeta(bytes: Uint8Array): string | undefined {
  const head = withoutComments(Buffer.from(bytes.subarray(0, META_SAMPLE)).toString("latin1").toLowerCase());
  for (const mark of ["charset=", 'encoding="']) {
    const at = head.indexOf(mark);
    if (at === -1) continue;
    const label = LABEL.exec(head.slice(at + mark.length, at + mark.length + 40))?.[1];
    // Whoever can read the declaration does not read UTF-16.
    if (label !== undefined && isKnownCharset(label) && !new TextDecoder(label).encoding.startsWith("utf-16"))
      return label;
  }
  return undefined;
}

/** What is between the comments; the last one may have no end. */
const withoutComments = (html: string): string =>
  html
    .split("<!--")
    .map((part, at) => (at === 0 ? part : part.split("-->").slice(1).join("-->")))
    .join("");

const LABEL = /^["']?([a-z0-9_:.-]+)/;

/** The likeliest first. Every single byte is a character of windows-1252 in the end. */
function likely(sample: Uint8Array): string[] {
  const found = analyse(sample).filter(({ confidence }) => confidence >= SURE);
  return [...found.map(({ name }) => name), ...USUAL].filter(isKnownCharset);
}
