// All parts of one running platform, and the order in which they stop: who depends on others goes first.
//
// 1. Once stopping, no part starts: neither a new one nor one that was about to be restarted.
// 2. stop() ends within its bound, and each part within its own, so that a part that hangs does not cost the ones below
//    it their orderly end: what is still there then gets SIGKILL.
import type { Part } from "../services/part.ts";

/** Parts of one rank stop together, ranks one after the other. */
const STOP_ORDER = ["api", "worker", "model", "chroma", "redis"] as const;
/** For the model, Chroma and Redis together. */
const SERVICES_WITHIN_MS = 1_000;

export type Rank = (typeof STOP_ORDER)[number];

export class Fleet {
  readonly #parts: { readonly rank: Rank; readonly part: Part }[] = [];
  readonly #stopping = new AbortController();

  /** Aborts when stopping begins. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Resolves when the part is ready. */
  async start(rank: Rank, part: Part): Promise<void> {
    this.stopping.throwIfAborted();
    this.#parts.push({ rank, part });
    await part.start();
  }

  /** `partWithinMs` bounds each rank; the API and the workers can use it up, the services below them need far less. */
  async stop(partWithinMs: number): Promise<void> {
    this.#stopping.abort();
    const deadline = setTimeout(() => void this.kill(), 2 * partWithinMs + SERVICES_WITHIN_MS);
    for (const rank of STOP_ORDER) {
      const parts = this.#parts.filter((entry) => entry.rank === rank);
      await Promise.all(parts.map(({ part }) => part.stop(partWithinMs)));
    }
    clearTimeout(deadline);
  }

  async kill(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#parts.map(({ part }) => part.kill()));
  }
}
