/** Reads Server-Sent Events from text in pieces that end anywhere. Lines end with LF, CR or both. */

export type Frame =
  | { readonly event: string; readonly id: string; readonly data: string }
  /** How long to wait before reconnecting, ms. */
  | { readonly retryMs: number };

export class SseParser {
  #line = "";
  /** The piece before ended with CR: an LF now belongs to it. */
  #afterCr = false;
  #event = "";
  #id = "";
  /** Null: no line of data has come since the last event. */
  #data: string | null = null;

  *read(piece: string): Generator<Frame> {
    if (piece === "") return;
    const text = this.#afterCr && piece.startsWith("\n") ? piece.slice(1) : piece;
    this.#afterCr = piece.endsWith("\r");
    let from = 0;
    for (const { 0: end, index } of text.matchAll(/\r\n?|\n/g)) {
      const frame = this.#readLine(this.#line + text.slice(from, index));
      this.#line = "";
      from = index + end.length;
      if (frame !== null) yield frame;
    }
    this.#line += text.slice(from);
  }

  #readLine(line: string): Frame | null {
    if (line === "") return this.#endEvent();
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "data") this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
    else if (field === "event") this.#event = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    else if (field === "retry" && value !== "" && Number.isInteger(Number(value))) return { retryMs: Number(value) };
    return null;
  }

  #endEvent(): Frame | null {
    const frame = this.#data === null ? null : { event: this.#event || "message", id: this.#id, data: this.#data };
    this.#event = "";
    this.#data = null;
    return frame;
  }
}
