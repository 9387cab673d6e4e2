/**
 * Follows the events of one job for one client. Upholds I2: every event once, in order, whatever the client has seen
 * before and whatever pub/sub loses.
 *
 * The log is the truth, pub/sub is speed. A live batch is passed on only when it continues what was passed on before;
 * otherwise, and whenever something may have been missed, the log is read from there. Nothing is buffered: a batch is
 * in the log before it is published, so what arrives at a bad time is only noted, and read later.
 */
import { type BatchBounds, readBounds, sliceAfter } from "@agent-paas/shared/contract/events.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { replayFromRow } from "./database-replay.ts";
import { type EventLog, LOG_PAGE } from "./event-log.ts";
import type { JobEventSubscriber, JobListener, Subscription } from "./job-event-subscriber.ts";
import type { TickWheel } from "./tick-wheel.ts";

/** Where the events go. */
export type EventSink = {
  /** False: the client reads too slowly; nothing more is written until `resume()` is called. */
  write(batch: Buffer): boolean;
  /** The last event was written. */
  end(): void;
};

export type FollowerDeps = {
  readonly subscriber: JobEventSubscriber;
  readonly log: EventLog;
  readonly wheel: TickWheel;
};

export type FollowOptions = {
  readonly jobId: string;
  /** The last `seq` that the client has seen; 0 for none. */
  readonly after: number;
  readonly sink: EventSink;
  /** The job's row once it has ended: where the events come from when the log is gone. */
  readonly findEnded: () => Promise<JobRow | null>;
  /** The job is known to have ended: nothing live is to be waited for, and the database answers while Redis is away. */
  readonly hasEnded: boolean;
};

/**
 * `waiting` for the subscription, `reading` the log, `stranded` because it could not be read, `live` with batches
 * passing through, `blocked` by a slow client.
 */
type Mode = "waiting" | "reading" | "stranded" | "live" | "blocked" | "ended";

export class JobEventFollower implements JobListener {
  readonly #deps: FollowerDeps;
  readonly #options: FollowOptions;
  readonly #subscription: Subscription | null;
  readonly #leaveWheel: () => void;
  #cursor: number;
  #mode: Mode = "waiting";
  /** Something may have come that was not passed on. */
  #missed = false;
  #quietSinceTick = false;

  constructor(deps: FollowerDeps, options: FollowOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#cursor = options.after;
    this.#subscription = options.hasEnded ? null : deps.subscriber.add(options.jobId, this);
    this.#leaveWheel = deps.wheel.join(() => this.#tick());
    const confirmed = this.#subscription?.confirmed ?? Promise.resolve();
    confirmed.then(
      () => this.#catchUp(),
      () => this.#strand(),
    );
  }

  /** The client's connection can take more. */
  resume(): void {
    if (this.#mode === "blocked") void this.#catchUp();
  }

  /** Leaves the job; it goes on without this client (I7). Safe to call twice. */
  close(): void {
    if (this.#mode === "ended") return;
    this.#mode = "ended";
    this.#subscription?.release();
    this.#leaveWheel();
  }

  onBatch(batch: Buffer, bounds: BatchBounds): void {
    this.#quietSinceTick = false;
    if (this.#mode === "live" && bounds.first <= this.#cursor + 1) this.#pass(batch, bounds);
    else this.#noteMissed();
  }

  onGap(): void {
    this.#noteMissed();
  }

  #noteMissed(): void {
    this.#missed = true;
    if (this.#mode === "live" || this.#mode === "stranded") void this.#catchUp();
  }

  /** Once per turn of the wheel: a stream that was quiet looks whether its end went by unheard. */
  #tick(): void {
    const quiet = this.#quietSinceTick;
    this.#quietSinceTick = true;
    if ((quiet && this.#mode === "live") || this.#mode === "stranded") void this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    if (this.#mode === "reading" || this.#mode === "ended") return;
    this.#mode = "reading";
    try {
      let found: Buffer[];
      do {
        this.#missed = false;
        found = await this.#readLog();
        if (found.length === 0) await this.#replayIfEnded();
        this.#passAll(found);
      } while (!this.#stopped() && (this.#missed || found.length === LOG_PAGE));
      if (!this.#stopped()) this.#mode = "live";
    } catch {
      // Redis is away, or the database. A connection that comes back, or the next tick, looks again.
      this.#strand();
    }
  }

  #strand(): void {
    if (!this.#stopped()) this.#mode = "stranded";
  }

  async #readLog(): Promise<Buffer[]> {
    const { jobId, hasEnded } = this.#options;
    const batches = this.#deps.log.read(jobId, this.#cursor);
    return hasEnded ? batches.catch(() => []) : batches;
  }

  /** Nothing in the log after the cursor: the job is silent, or its log has expired. */
  async #replayIfEnded(): Promise<void> {
    const row = await this.#options.findEnded();
    if (row === null || this.#stopped()) return;
    // The end may have been told between the look into the log and the look into the database.
    this.#passAll(await this.#readLog());
    if (this.#stopped()) return;
    const replay = replayFromRow(row, this.#cursor);
    if (replay.length > 0) this.#options.sink.write(replay);
    this.#end();
  }

  #passAll(batches: readonly Buffer[]): void {
    for (const batch of batches) {
      if (this.#stopped()) return;
      this.#pass(batch, readBounds(batch));
    }
  }

  #pass(batch: Buffer, { first, last, terminal }: BatchBounds): void {
    if (last > this.#cursor) {
      const fresh = first > this.#cursor ? batch : sliceAfter(batch, this.#cursor);
      this.#cursor = last;
      if (!this.#options.sink.write(fresh)) this.#mode = "blocked";
    }
    if (terminal) this.#end();
  }

  #end(): void {
    this.close();
    this.#options.sink.end();
  }

  #stopped(): boolean {
    return this.#mode === "ended" || this.#mode === "blocked";
  }
}
