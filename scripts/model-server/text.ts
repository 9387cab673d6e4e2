/** Text helpers shared by the answers, the call log and the embeddings. */
export type Language = "zh" | "en";

export function languageOf(text: string): Language {
  // Only letters count: English text may contain an ellipsis or a full-width mark too.
  return /\p{Script=Han}/u.test(text) ? "zh" : "en";
}

/**
 * Shortens text to at most `limit` UTF-16 units plus `…`, without splitting a surrogate pair. The result holds no
 * reference to `text`: V8 slices keep the whole string alive, which would defeat the bounds of the call log.
 */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return Buffer.from(`${text.slice(0, limit).replace(/[\ud800-\udbff]$/, "")}…`).toString();
}

/** FNV-1a with a final mix, so that the low bits, which serve as bucket numbers, depend on every character. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
