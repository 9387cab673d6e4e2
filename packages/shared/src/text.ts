/** Texts as they may leave: JSON and JavaScript can carry half a surrogate pair, UTF-8 cannot. */

/** The first characters of a text, at most so many; never half of a character beyond 16 bits. */
export function cutText(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  return text.slice(0, isHighSurrogate(text.charCodeAt(maxChars - 1)) ? maxChars - 1 : maxChars);
}

export const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;

const REPLACEMENT = "\ufffd";

/**
 * A JSON text without escapes of half characters, which `JSON.stringify` and models write, strict readers refuse and
 * others pass on. Linear; the text itself is returned if it has none.
 */
export function wellFormedJson(json: string): string {
  if (!json.includes("\\ud") && !json.includes("\\uD")) return json;
  const pieces: string[] = [];
  let from = 0;
  for (let at = json.indexOf("\\"); at >= 0; at = json.indexOf("\\", at)) {
    const unit = unitAt(json, at);
    if (unit === null) {
      at += 2;
    } else if (isHigh(unit) && isLow(unitAt(json, at + 6))) {
      at += 12;
    } else {
      if (isHigh(unit) || isLow(unit)) {
        pieces.push(json.slice(from, at), REPLACEMENT);
        from = at + 6;
      }
      at += 6;
    }
  }
  return pieces.length === 0 ? json : pieces.join("") + json.slice(from);
}

/** The code unit of an escape `\uXXXX` at this place. */
function unitAt(json: string, at: number): number | null {
  if (json[at] !== "\\" || json[at + 1] !== "u") return null;
  const unit = Number(`0x${json.slice(at + 2, at + 6)}`);
  return Number.isInteger(unit) ? unit : null;
}

const isHigh = (unit: number | null): boolean => unit !== null && isHighSurrogate(unit);
const isLow = (unit: number | null): boolean => unit !== null && unit >= 0xdc00 && unit <= 0xdfff;
