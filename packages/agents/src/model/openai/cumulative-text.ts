/**
 * Some proxies repeat the whole text so far in each delta. Text that a model really repeats must not be lost, so only
 * what cannot be chance counts: from the first piece on, each begins with all of the one before and goes on with
 * characters that were not there (`ha`, `haha`, `hahaha` does not). Until that is known the second piece and those
 * behind it wait, as long as they go on so; nearly always the second piece settles it.
 */

/** Pieces in a row that go on with the one before. */
const MIN_GROWN = 3;
/** Of these, so many bring new characters, and so many characters together. */
const MIN_FRESH_PIECES = 2;
const MIN_FRESH_CHARS = 4;
/** So much of a piece is looked at. */
const MAX_LOOKED_AT = 256;

export type DeltaKind = "unknown" | "plain" | "cumulative";

/** @param expected what the provider's former answers were. */
export function createCumulativeText(expected: DeltaKind) {
  let kind = expected;
  /** Of a cumulative text: all of it. Before that is known: the latest piece. */
  let latest = "";
  let first = "";
  let held: string[] = [];
  let grown = 0;
  let fresh = 0;
  let freshPieces = 0;
  const seen = new Set<string>();

  /** Returns how many characters of the text were not seen before. */
  function look(text: string): number {
    const before = seen.size;
    for (const char of text.slice(0, MAX_LOOKED_AT)) seen.add(char);
    return seen.size - before;
  }

  function whileUnknown(piece: string): string {
    if (latest === "") {
      first = piece;
      latest = piece;
      look(piece);
      // Lines or words that grow, each behind its blank, would look the same.
      if (piece.trimStart() !== piece) kind = "plain";
      return piece;
    }
    if (piece.length <= latest.length || !piece.startsWith(latest)) {
      kind = "plain";
      return takeHeld() + piece;
    }
    const found = look(piece.slice(latest.length));
    grown++;
    fresh += found;
    if (found > 0) freshPieces++;
    held.push(piece);
    latest = piece;
    if (grown < MIN_GROWN || freshPieces < MIN_FRESH_PIECES || fresh < MIN_FRESH_CHARS) return "";
    kind = "cumulative";
    held = [];
    return piece.slice(first.length);
  }

  function whenCumulative(piece: string): string {
    if (latest.startsWith(piece)) return "";
    const isContinued = piece.startsWith(latest);
    const added = isContinued ? piece.slice(latest.length) : piece;
    if (!isContinued) kind = "plain";
    latest = piece;
    return added;
  }

  function takeHeld(): string {
    const text = held.join("");
    held = [];
    return text;
  }

  return {
    /** What the piece adds to the text. */
    added(piece: string): string {
      if (kind === "plain") return piece;
      return kind === "unknown" ? whileUnknown(piece) : whenCumulative(piece);
    },
    /** What waited: it is the model's text, because something else follows. */
    rest(): string {
      if (held.length === 0) return "";
      kind = "plain";
      return takeHeld();
    },
    kind: () => kind,
  };
}
