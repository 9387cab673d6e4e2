/**
 * A text that grows piece by piece. `+=` makes a node of 32 bytes with each piece, which holds the one before: a
 * thousand answers that are streamed at once were thereby most of what a worker's garbage collector has to move.
 */

/** So many pieces are joined to one, which is not copied again before the end. */
const JOIN_PIECES = 512;

export class GrowingText {
  #joined: string[] = [];
  /** What follows them. */
  #pieces: string[] = [];

  get isEmpty(): boolean {
    return this.#joined.length === 0 && this.#pieces.length === 0;
  }

  append(piece: string): void {
    if (piece === "") return;
    this.#pieces.push(piece);
    if (this.#pieces.length < JOIN_PIECES) return;
    this.#joined.push(this.#pieces.join(""));
    this.#pieces = [];
  }

  replace(text: string): void {
    this.#joined = text === "" ? [] : [text];
    this.#pieces = [];
  }

  toString(): string {
    const text = this.#joined.join("") + this.#pieces.join("");
    this.replace(text);
    return text;
  }
}
