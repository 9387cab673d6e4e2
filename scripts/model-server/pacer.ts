/**
 * One timer for all running answers. With 1000 streams, one timer each would cost more than the tokens; a pass over a
 * set costs a few nanoseconds per stream, and all tokens of a stream that are due at a tick are sent in one write.
 */

/** Milliseconds between two ticks, and the maximum delay of a token on an idle machine. */
const TICK_MS = 5;
/**
 * Milliseconds of work per iteration of the event loop. An iteration accepts one connection, so with hundreds of
 * unpaced answers a longer pass would keep new clients waiting for seconds.
 */
const PASS_MS = 2;

/** An object that is called at a given time. Each call must set `dueAt` to the time of the next one. */
export type Paced = {
  /**
   * A time on the clock of `performance.now()`. A time that is not in the future means the next iteration of the event
   * loop; Infinity means never.
   */
  dueAt: number;
  advance(now: number): void;
};

type Alarm = { readonly kind: "tick" | "immediate"; cancel(): void };

export class Pacer {
  readonly #live = new Set<Paced>();
  /** Members of the current round that were not called yet. A round may take several passes, so that all are called. */
  #round: Paced[] = [];
  /** Whether a member is due again at once. */
  #hasDue = false;
  #alarm: Alarm | undefined;

  add(paced: Paced): void {
    this.#live.add(paced);
    this.#arm(paced.dueAt <= performance.now() ? "immediate" : "tick");
  }

  remove(paced: Paced): void {
    this.#live.delete(paced);
  }

  stop(): void {
    this.#live.clear();
    this.#round = [];
    this.#alarm?.cancel();
    this.#alarm = undefined;
  }

  /**
   * `immediate` lets the event loop serve its sockets between two passes, so that fast answers do not starve others.
   */
  #arm(kind: Alarm["kind"]): void {
    if (this.#alarm?.kind === kind || this.#alarm?.kind === "immediate") return;
    this.#alarm?.cancel();
    if (kind === "immediate") {
      const immediate = setImmediate(() => this.#pass());
      this.#alarm = { kind, cancel: () => clearImmediate(immediate) };
    } else {
      const timeout = setTimeout(() => this.#pass(), TICK_MS);
      this.#alarm = { kind, cancel: () => clearTimeout(timeout) };
    }
  }

  #pass(): void {
    this.#alarm = undefined;
    const now = performance.now();
    if (this.#round.length === 0) {
      this.#round = [...this.#live];
      this.#hasDue = false;
    }
    for (let paced = this.#round.pop(); paced; paced = this.#round.pop()) {
      if (paced.dueAt > now || !this.#live.has(paced)) continue;
      paced.advance(now);
      if (paced.dueAt <= now) this.#hasDue = true;
      else if (paced.dueAt === Infinity) this.#live.delete(paced);
      if (performance.now() - now > PASS_MS) break;
    }
    if (this.#round.length > 0 || this.#hasDue) this.#arm("immediate");
    else if (this.#live.size > 0) this.#arm("tick");
  }
}
