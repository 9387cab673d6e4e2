/** Texts as they may leave: JSON and JavaScript can carry half a surrogate pair, UTF-8 cannot. */

/** The first characters of a text, at most so many; never half of a character beyond 16 bits. */
export function cutText(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  return text.slice(0, isHighSurrogate(text.charCodeAt(maxChars - 1)) ? maxChars - 1 : maxChars);
}

export const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;

const LONE_SURROGATE = /\\\\|\\ud[89a-f][0-9a-f]{2}/g;

/**
 * A JSON text whose strings are well-formed. `JSON.stringify` writes half a surrogate pair as an escape, which strict
 * readers refuse and others pass on.
 */
export const wellFormedJson = (json: string): string =>
  json.includes("\\ud") ? json.replace(LONE_SURROGATE, (found) => (found.length === 2 ? found : "\ufffd")) : json;
