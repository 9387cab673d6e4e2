/**
 * One tick for all answers under way. With 1000 streams a timer each would cost more than the tokens; a pass over a set
 * costs some nanoseconds a stream, and all tokens that a stream owes at a tick leave in one write.
 */

/** Milliseconds between two ticks; also how late a token may be. */
const TICK_MS = 5;
/** Milliseconds of work before the event loop gets a turn. It accepts one connection a turn, so with hundreds of unpaced
 * answers a longer pass would keep new clients waiting for seconds. */
const PASS_MS = 2;

/** Something that wants to be called at a time. After each call it has set `dueAt` anew. */
export type Paced = {
  /** On the clock of `performance.now()`; not after now: at the next turn of the event loop; Infinity: not again. */
  dueAt: number;
  advance(now: number): void;
};

type Alarm = { readonly kind: "tick" | "turn"; cancel(): void };

export class Pacer {
  readonly #live = new Set<Paced>();
  /** Those of one round that have not had their turn; a round may take several passes, so that the last get theirs too. */
  #round: Paced[] = [];
  #hungry = false;
  #alarm: Alarm | undefined;

  add(paced: Paced): void {
    this.#live.add(paced);
    this.#arm(paced.dueAt <= performance.now() ? "turn" : "tick");
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

  /** `turn` lets the event loop serve its sockets between two passes, so that fast answers starve nobody. */
  #arm(kind: Alarm["kind"]): void {
    if (this.#alarm?.kind === kind || this.#alarm?.kind === "turn") return;
    this.#alarm?.cancel();
    if (kind === "turn") {
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
      this.#hungry = false;
    }
    for (let paced = this.#round.pop(); paced; paced = this.#round.pop()) {
      if (paced.dueAt > now || !this.#live.has(paced)) continue;
      paced.advance(now);
      if (paced.dueAt <= now) this.#hungry = true;
      else if (paced.dueAt === Infinity) this.#live.delete(paced);
      if (performance.now() - now > PASS_MS) break;
    }
    if (this.#round.length > 0 || this.#hungry) this.#arm("turn");
    else if (this.#live.size > 0) this.#arm("tick");
  }
}
