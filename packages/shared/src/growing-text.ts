/**
 * A text that grows piece by piece. `+=` makes a node of 32 bytes with each piece, which holds the one before: a
 * thousand answers that are streamed at once were thereby most of what a worker's garbage collector has to move.
 */

/** So many pieces are joined to one. */
const JOIN_PIECES = 512;

export class GrowingText {
  #pieces: string[] = [];

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  append(piece: string): void {
    if (piece === "") return;
    if (this.#pieces.length === JOIN_PIECES) this.#pieces = [this.#pieces.join("")];
    this.#pieces.push(piece);
  }

  replace(text: string): void {
    this.#pieces = text === "" ? [] : [text];
  }

  toString(): string {
    if (this.#pieces.length > 1) this.#pieces = [this.#pieces.join("")];
    return this.#pieces[0] ?? "";
  }
}
