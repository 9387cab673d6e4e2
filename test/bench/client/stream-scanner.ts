/**
 * Finds the model's stamped tokens, `⟨1732268000000.123⟩ word`, in the text of a stream of any system and framing. It
 * searches for the stamps only and parses no JSON, because the generator shares its cores with the measured processes.
 */

/** Text is decoded as latin1: each byte is one character, so each of the brackets ⟨ ⟩ is three characters. */
const OPEN = "\xe2\x9f\xa8";
const CLOSE = "\xe2\x9f\xa9";
const FRAME_END = "\n\n";

/** Part of the event by which the product discards the text of a lost attempt. */
const RESET = '"type":"reset"';

export type ScannerSink = {
  token(text: string, sentAtMs: number): void;
  reset(): void;
};

export class StreamScanner {
  /** The incomplete frame at the end of the text so far. */
  #rest = "";
  #done = false;
  readonly #doneMark: string;
  readonly #sink: ScannerSink;

  /** `doneMark` is a text that only the regular end of a stream contains. */
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
      // A frame may contain several tokens.
      const next = frames.indexOf(OPEN, word);
      if (next >= 0 && next < at) at = next;
      this.#sink.token(frames.slice(word, at), Number(frames.slice(open + OPEN.length, close)));
    }
    if (frames.includes(this.#doneMark, at)) this.#done = true;
  }
}
