/**
 * All processes of one running platform, and the order in which they stop: a process stops before those it depends on.
 *
 * 1. Once stopping has begun, no process starts: neither a new one nor a pending restart.
 * 2. stop() ends within its bound, and each rank within its own: a process that hangs gets SIGKILL, so that the ranks
 *    below it still stop in order.
 */
import type { SupervisedProcess } from "../services/supervised-process.ts";

/** Processes of one rank stop together, ranks one after the other. */
const STOP_ORDER = ["api", "worker", "model", "chroma", "redis"] as const;
/** Bound for the model, Chroma and Redis together. */
const SERVICES_WITHIN_MS = 1_000;

export type Rank = (typeof STOP_ORDER)[number];

export class Fleet {
  readonly #members: { readonly rank: Rank; readonly member: SupervisedProcess }[] = [];
  readonly #stopping = new AbortController();

  /** Aborts when stopping begins. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Resolves when the process is ready. */
  async start(rank: Rank, member: SupervisedProcess): Promise<void> {
    this.stopping.throwIfAborted();
    this.#members.push({ rank, member });
    await member.start();
  }

  ofRank(rank: Rank): readonly SupervisedProcess[] {
    return this.#members.filter((entry) => entry.rank === rank).map(({ member }) => member);
  }

  /** `rankWithinMs` bounds each rank. The API and the workers may use all of it; the services need far less. */
  async stop(rankWithinMs: number): Promise<void> {
    this.#stopping.abort();
    const deadline = setTimeout(() => void this.kill(), 2 * rankWithinMs + SERVICES_WITHIN_MS);
    for (const rank of STOP_ORDER) {
      await Promise.all(this.ofRank(rank).map((member) => member.stop(rankWithinMs)));
    }
    clearTimeout(deadline);
  }

  async kill(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#members.map(({ member }) => member.kill()));
  }
}
