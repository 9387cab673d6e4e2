/**
 * One request with its answer. It ends when the caller's signal aborts, and when nothing comes for too long: a
 * connection whose other end is gone without a word, or that was open while the computer slept, reports nothing.
 */
import { connectionLost } from "./errors.ts";

/** How often the clock is looked at while something is awaited. */
const LOOKS = 4;

export class Exchange {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #silenceMs: number;
  #heardAt = 0;
  #mistake: { readonly error: unknown } | undefined;

  /** Throws the reason of a signal that has aborted. */
  constructor(caller: AbortSignal | undefined, silenceMs: number) {
    caller?.throwIfAborted();
    this.#caller = caller;
    this.#silenceMs = silenceMs;
    caller?.addEventListener("abort", this.#leave);
  }

  /** For `fetch`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Until when the connection is known to have lived, epoch ms. A break is heard, too; only silence is not. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Something was sent or received: the silence begins anew. */
  readonly touch = (): void => {
    this.#heardAt = Date.now();
  };

  /** The promise's value. Throws the caller's reason, or else `connection_lost`. */
  async within<T>(promise: Promise<T>, silenceMs: number = this.#silenceMs): Promise<T> {
    this.touch();
    // The wall clock: timers stand still while a computer sleeps.
    const look = () => {
      if (Date.now() - this.#heardAt >= silenceMs) this.#controller.abort();
      else timer = setTimeout(look, silenceMs / LOOKS);
    };
    let timer = setTimeout(look, silenceMs / LOOKS);
    try {
      return await promise;
    } catch (cause) {
      this.#caller?.throwIfAborted();
      if (this.#mistake) throw this.#mistake.error;
      throw connectionLost(this.signal.aborted ? "The server was silent for too long" : "The connection broke", cause);
    } finally {
      clearTimeout(timer);
      if (!this.signal.aborted) this.touch();
    }
  }

  /** The whole body. Each piece of it is a sign of life. */
  async text(response: Response): Promise<string> {
    if (!response.body) return this.within(response.text());
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const { value, done } = await this.within(reader.read());
      if (done) return text + decoder.decode();
      text += decoder.decode(value, { stream: true });
    }
  }

  /** Ends it by a mistake of the caller's own, which `within` throws. */
  fail(error: unknown): void {
    this.#mistake = { error };
    this.#controller.abort();
  }

  /** Drops the connection if the answer is not read to its end. */
  close(): void {
    this.#caller?.removeEventListener("abort", this.#leave);
    this.#controller.abort();
  }

  readonly #leave = (): void => this.#controller.abort();
}
