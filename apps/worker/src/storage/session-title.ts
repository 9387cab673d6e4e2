/** The title that a session has until its owner renames it: the beginning of its first message. */
import { cutText } from "@agent-paas/shared/text.ts";

/** Longest title of this kind, characters. */
const MAX_TITLE = 80;
/** What is looked at of a message, characters: white space may precede and separate its words. */
const MAX_LOOKED_AT = 1_000;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** One line of whole graphemes; null for a message without any text. */
export function titleOf(message: string): string | null {
  const line = message
    .slice(0, MAX_LOOKED_AT)
    .replace(/[\p{Cc}\s]+/gu, " ")
    .trim();
  if (line === "") return null;
  if (line.length <= MAX_TITLE) return line.toWellFormed();
  const end = graphemes.segment(line).containing(MAX_TITLE)?.index ?? MAX_TITLE;
  // One grapheme alone may be longer.
  return (end === 0 ? cutText(line, MAX_TITLE) : line.slice(0, end)).trimEnd().toWellFormed();
}
