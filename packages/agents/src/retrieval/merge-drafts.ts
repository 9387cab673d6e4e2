/**
 * Merges the small sections of a document that has more chunks than its length justifies. Each chunk costs the same
 * to embed and to store, whether it has four tokens or three hundred: 30 KB of `# a` and one word below it, again and
 * again, were 5,000 chunks. A usual document with some short sections keeps one chunk for each of them.
 */
import { HEADING_SEPARATOR } from "./document-blocks.ts";

/** A chunk as a span of the document. `lead` is text put before it; `heading` is its path of headings. */
export type FinishedDraft = {
  readonly heading: string;
  readonly lead: string;
  readonly start: number;
  readonly end: number;
  readonly tokens: number;
};

/** A document may have so many chunks of any size … */
const FREE_CHUNKS = 256;
/** … and one more for so many tokens, which is a full chunk. */
const TOKENS_PER_CHUNK = 300;
/** Sections with fewer tokens are merged, by the first of these that is enough: small sections are found better. */
const SMALL_TOKENS = [32, 64, 128] as const;

/** Keeps the order. No merged draft has as many tokens as two times the last of `SMALL_TOKENS`. */
export function mergeDrafts(drafts: readonly FinishedDraft[]): readonly FinishedDraft[] {
  const tokens = drafts.reduce((sum, draft) => sum + draft.tokens, 0);
  const justified = FREE_CHUNKS + tokens / TOKENS_PER_CHUNK;
  let merged = drafts;
  for (const smallTokens of SMALL_TOKENS) {
    if (merged.length <= justified) break;
    merged = mergeSmaller(merged, smallTokens);
  }
  return merged;
}

/** Small neighbours become one until it is not small any more. A section that is not small stays as it is. */
function mergeSmaller(drafts: readonly FinishedDraft[], smallTokens: number): FinishedDraft[] {
  const merged: FinishedDraft[] = [];
  for (const draft of drafts) {
    const last = merged.at(-1);
    if (last === undefined || last.tokens >= smallTokens || draft.tokens >= smallTokens) merged.push(draft);
    else merged[merged.length - 1] = together(last, draft);
  }
  return merged;
}

/** The line break between them counts as a token. */
const together = (last: FinishedDraft, draft: FinishedDraft): FinishedDraft => ({
  ...last,
  heading: commonPath(last.heading, draft.heading),
  end: draft.end,
  tokens: last.tokens + 1 + draft.tokens,
});

/** The headings that both texts stand under. Their own headings are in the text. */
function commonPath(one: string, other: string): string {
  if (one === other) return one;
  const titles = other.split(HEADING_SEPARATOR);
  const path = one.split(HEADING_SEPARATOR);
  const differs = path.findIndex((title, at) => title !== titles[at]);
  return path.slice(0, differs === -1 ? path.length : differs).join(HEADING_SEPARATOR);
}
