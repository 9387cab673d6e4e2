/** Reads consecutive HTTP/1.1 responses from the text of a connection: the status, then the body in pieces. */

const LINE = "\r\n";
const HEAD_END = "\r\n\r\n";

export type ResponseSink = {
  status(code: number): void;
  body(piece: string): void;
  end(): void;
};

type State =
  | { readonly kind: "head" }
  | { readonly kind: "chunks" }
  | { readonly kind: "length"; readonly left: number };

export class ResponseReader {
  #state: State = { kind: "head" };
  #text = "";
  readonly #sink: ResponseSink;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  push(text: string): void {
    this.#text = this.#text === "" ? text : this.#text + text;
    while (this.#text !== "" && this.#step());
  }

  /** Whether text was consumed; if not, more text is needed. */
  #step(): boolean {
    switch (this.#state.kind) {
      case "head":
        return this.#head();
      case "chunks":
        return this.#chunks();
      case "length":
        return this.#length(this.#state.left);
    }
  }

  #head(): boolean {
    const end = this.#text.indexOf(HEAD_END);
    if (end < 0) return false;
    const head = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + HEAD_END.length);
    this.#sink.status(Number(head.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length)));
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    if (length === undefined) this.#state = { kind: "chunks" };
    else if (length === "0") this.#ended();
    else this.#state = { kind: "length", left: Number(length) };
    return true;
  }

  #chunks(): boolean {
    let at = 0;
    let body = "";
    for (;;) {
      const lineEnd = this.#text.indexOf(LINE, at);
      if (lineEnd < 0) break;
      const size = Number.parseInt(this.#text.slice(at, lineEnd), 16);
      const next = lineEnd + LINE.length + size + LINE.length;
      if (next > this.#text.length) break;
      at = next;
      if (size === 0) {
        this.#text = this.#text.slice(at);
        if (body !== "") this.#sink.body(body);
        this.#ended();
        return true;
      }
      body += this.#text.slice(lineEnd + LINE.length, next - LINE.length);
    }
    if (at > 0) this.#text = this.#text.slice(at);
    if (body !== "") this.#sink.body(body);
    return false;
  }

  #length(left: number): boolean {
    const piece = this.#text.slice(0, left);
    this.#text = this.#text.slice(piece.length);
    this.#sink.body(piece);
    if (piece.length === left) this.#ended();
    else this.#state = { kind: "length", left: left - piece.length };
    return true;
  }

  #ended(): void {
    this.#state = { kind: "head" };
    this.#sink.end();
  }
}
