/**
 * Finds the model's stamped tokens, `⟨1732268000000.123⟩ word`, in the text of a stream, whoever sends it and in
 * whatever frames. It looks for the stamps only and parses no JSON: the generator shares its cores with what it measures.
 */

/** Text is read as latin1: a byte is a character, and the brackets ⟨ ⟩ are three of them. */
const OPEN = "\xe2\x9f\xa8";
const CLOSE = "\xe2\x9f\xa9";
const FRAME_END = "\n\n";

/** What the product sends when an attempt starts over: the text so far is to be dropped. */
const RESET = '"type":"reset"';

export type ScannerSink = {
  token(text: string, sentAtMs: number): void;
  reset(): void;
};

export class StreamScanner {
  /** A frame that has begun. */
  #rest = "";
  #done = false;
  readonly #doneMark: string;
  readonly #sink: ScannerSink;

  /** The mark is what a stream holds when it has ended well. */
  constructor(doneMark: string, sink: ScannerSink) {
    this.#doneMark = doneMark;
    this.#sink = sink;
  }

  get done(): boolean {
    return this.#done;
  }

  push(piece: string): void {
    const text = this.#rest + piece;
    const end = text.lastIndexOf(FRAME_END);
    this.#rest = text.slice(end < 0 ? 0 : end + FRAME_END.length);
    if (end >= 0) this.#scan(end === text.length - FRAME_END.length ? text : text.slice(0, end));
  }

  #scan(frames: string): void {
    const reset = frames.indexOf(RESET);
    if (reset < 0) this.#scanTokens(frames);
    else {
      this.#scanTokens(frames.slice(0, reset));
      this.#sink.reset();
      this.#scan(frames.slice(reset + RESET.length));
    }
  }

  #scanTokens(frames: string): void {
    let at = 0;
    for (let open = frames.indexOf(OPEN); open >= 0; open = frames.indexOf(OPEN, at)) {
      const close = frames.indexOf(CLOSE, open);
      const word = close + CLOSE.length;
      at = frames.indexOf('"', word);
      // A system may put several tokens into one frame.
      const next = frames.indexOf(OPEN, word);
      if (next >= 0 && next < at) at = next;
      this.#sink.token(frames.slice(word, at), Number(frames.slice(open + OPEN.length, close)));
    }
    if (frames.includes(this.#doneMark, at)) this.#done = true;
  }
}
