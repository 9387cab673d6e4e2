/**
 * Follows the events of one job for one client. Upholds I2: every event once and in order, whatever the client has seen
 * before and whatever pub/sub loses.
 *
 * The log is the truth, pub/sub is speed. A live batch is passed on only when it continues what was passed on before;
 * otherwise, and whenever a batch may have been missed, the log is read from the cursor. Nothing is buffered: a batch
 * is in the log before it is published, so a batch that arrives at a bad time is only noted, and read later.
 */
import { type BatchBounds, encodeEvent, readBounds, sliceAfter } from "@agent-paas/shared/contract/events.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { replayFromRow } from "./database-replay.ts";
import type { EventLog } from "./event-log.ts";
import type { JobEventSubscriber, JobListener, Subscription } from "./job-event-subscriber.ts";
import { createLossWatch, lossEvents } from "./loss-watch.ts";
import type { TimingWheel } from "./timing-wheel.ts";

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
  readonly wheel: TimingWheel;
};

export type FollowOptions = {
  readonly jobId: string;
  /** The last `seq` that the client has seen; 0 for none. */
  readonly after: number;
  readonly sink: EventSink;
  /** The job's row once it has ended: the source of the events when the log is gone. */
  readonly findEnded: () => Promise<JobRow | null>;
  /** Whether a queue or the database knows the job. */
  readonly isKnown: () => Promise<boolean>;
  /** The job's session, for the `done` of a lost job. */
  readonly sessionId: string | null;
  readonly stage: JobStage;
};

/**
 * What the caller knows of the job. `new`: accepted by this very request, so an empty log does not mean an expired one.
 * `ended`: no live event will come, and the database serves the events while Redis is away.
 */
export type JobStage = "new" | "open" | "ended";

export type Follower = {
  /** The client's connection can take more. */
  resume(): void;
  /** Leaves the job; the job goes on without this client (I7). Safe to call twice. */
  close(): void;
};

export const followJob = (deps: FollowerDeps, options: FollowOptions): Follower => new JobEventFollower(deps, options);

/** Batches per read of the log: at first, and at most. */
const FIRST_PAGE = 4;
const LARGEST_PAGE = 64;

/**
 * `waiting` for the subscription, `reading` the log, `disconnected` because the log could not be read, `live` with
 * batches passing through, `blocked` by a slow client.
 */
type Mode = "waiting" | "reading" | "disconnected" | "live" | "blocked" | "ended";

class JobEventFollower implements JobListener, Follower {
  readonly #deps: FollowerDeps;
  readonly #options: FollowOptions;
  readonly #subscription: Subscription | null;
  readonly #unsubscribeFromWheel: () => void;
  #cursor: number;
  #mode: Mode = "waiting";
  /** A batch may have arrived that was not passed on. */
  #missed = false;
  #quietSinceTick = false;
  /** As many batches as the client took at once: a batch that it does not take is read again. */
  #page = FIRST_PAGE;
  /** Whether an empty log may be one that has expired. */
  #mayHaveExpired: boolean;
  readonly #lossWatch: ReturnType<typeof createLossWatch>;

  constructor(deps: FollowerDeps, options: FollowOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#cursor = options.after;
    this.#mayHaveExpired = options.stage !== "new";
    this.#lossWatch = createLossWatch(options.isKnown);
    this.#subscription = options.stage === "ended" ? null : deps.subscriber.add(options.jobId, this);
    this.#unsubscribeFromWheel = deps.wheel.subscribe(() => this.#tick());
    const confirmed = this.#subscription?.confirmed ?? Promise.resolve();
    confirmed.then(
      () => this.#catchUp(),
      () => this.#disconnect(),
    );
  }

  resume(): void {
    if (this.#mode === "blocked") void this.#catchUp();
  }

  close(): void {
    if (this.#mode === "ended") return;
    this.#mode = "ended";
    this.#subscription?.release();
    this.#unsubscribeFromWheel();
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
    if (this.#mode === "live" || this.#mode === "disconnected") void this.#catchUp();
  }

  /** Once per interval of the wheel: a stream without events since the last tick reads the log for a missed end. */
  #tick(): void {
    const quiet = this.#quietSinceTick;
    this.#quietSinceTick = true;
    if (quiet && this.#mode === "live") void this.#catchUp().then(() => this.#endIfLost());
    else if (this.#mode === "disconnected") void this.#catchUp();
  }

  /** Ends the stream of a job that no process will end, because it is known nowhere (I1). */
  async #endIfLost(): Promise<void> {
    if (this.#mode !== "live" || !(await this.#lossWatch.isLost()) || this.#mode !== "live") return;
    const { jobId, sessionId, sink } = this.#options;
    const frames = lossEvents(jobId, sessionId).map((event, at) => encodeEvent(this.#cursor + 1 + at, event));
    sink.write(Buffer.from(frames.join("")));
    this.#end();
  }

  async #catchUp(): Promise<void> {
    if (this.#mode === "reading" || this.#mode === "ended") return;
    this.#mode = "reading";
    try {
      let isWhole: boolean;
      do {
        this.#missed = false;
        const found = await this.#readLog(this.#page);
        if (found.length === 0 && this.#mayHaveExpired) await this.#replayIfEnded();
        this.#mayHaveExpired = true;
        // The row of an ended job is written before the end of its log, and nothing live would bring that end.
        const lacksEnd = this.#options.stage === "ended" && found.length > 0;
        isWhole = found.length < this.#page && !lacksEnd;
        const passed = this.#passAll(found);
        this.#page = passed < found.length ? Math.max(passed, 1) : Math.min(2 * this.#page, LARGEST_PAGE);
      } while (!this.#stopped() && (this.#missed || !isWhole));
      if (!this.#stopped()) this.#mode = "live";
    } catch {
      // Redis or the database is away. The returning connection or the next tick tries again.
      this.#disconnect();
    }
  }

  #disconnect(): void {
    if (!this.#stopped()) this.#mode = "disconnected";
  }

  async #readLog(page: number): Promise<Buffer[]> {
    const { jobId, stage } = this.#options;
    const batches = this.#deps.log.read(jobId, this.#cursor, page);
    return stage === "ended" ? batches.catch(() => []) : batches;
  }

  /** The log has nothing after the cursor: the job is silent, or its log has expired. */
  async #replayIfEnded(): Promise<void> {
    const row = await this.#options.findEnded();
    if (row === null || this.#stopped()) return;
    // The terminal event may have been published between the two reads, of the log and of the database.
    this.#passAll(await this.#readLog(LARGEST_PAGE));
    if (this.#stopped()) return;
    const replay = replayFromRow(row, this.#cursor);
    if (replay.length > 0) this.#options.sink.write(replay);
    this.#end();
  }

  /** Returns how many batches were passed on before the client blocked or the job ended. */
  #passAll(batches: readonly Buffer[]): number {
    for (const [at, batch] of batches.entries()) {
      if (this.#stopped()) return at;
      this.#pass(batch, readBounds(batch));
    }
    return batches.length;
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
