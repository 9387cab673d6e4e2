/** The writer of one fencing token's events: it numbers them, encodes each once, and limits their number and size. */
import { encodeEvent, type JobEvent, readBounds } from "@agent-paas/shared/contract/events.ts";
import type { TerminalStatus } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { ConfirmedFrames } from "./confirmed-frames.ts";
import { MAX_EVENTS } from "./log-order.ts";
import { lastSeqIfBehind, PublishReply } from "./publish-script.ts";

/** How long the frames of one writer may be together, in UTF-16 code units. */
export const MAX_CHARS = 32 * 1024 * 1024;

/** With more unconfirmed characters than this, the agent waits for Redis. */
const CONGESTED_CHARS = 256 * 1024;

export type WriterSignals = {
  /** A higher fencing token owns the job: stop the run. */
  readonly refused: () => void;
  /** A client has requested to cancel the job. */
  readonly cancelRequested: () => void;
};

/** For writers without a run. They learn of a refusal from `flushed()`. */
export const NO_SIGNALS: WriterSignals = { refused: () => {}, cancelRequested: () => {} };

export type PendingBatch = {
  readonly jobId: string;
  readonly fencingToken: number;
  /** The last `seq` of the log before the batch. */
  readonly previousSeq: number;
  readonly first: number;
  readonly last: number;
  /** The frames of the batch. */
  readonly bytes: string;
  /** The terminal status if the batch contains `done`. */
  readonly ended: TerminalStatus | null;
  /** JSON of the data of the batch's last `progress` thought. */
  readonly progress: string | null;
  /** Whether the batch claims the job for its fencing token. */
  readonly claimsJob: boolean;
  /** Whether the batch changes nothing but the log. */
  readonly isOrdinary: boolean;
};

export type WriterOptions = {
  readonly jobId: string;
  readonly fencingToken: number;
  /** What the first event follows: the `seq` to which the claim raised the log. */
  readonly seq: number;
  readonly signals: WriterSignals;
  /** Asks the publisher to send the next batch. */
  readonly schedule: (writer: JobEventWriter) => void;
  /** Whether the first batch claims the job. */
  readonly claimsJob: boolean;
};

/** `idle`: no batch is on its way to Redis. `refused`: the writer sends nothing more. */
type State =
  | { readonly kind: "idle" }
  | { readonly kind: "inFlight"; readonly batch: PendingBatch }
  | { readonly kind: "refused" };

const IDLE: State = { kind: "idle" };
const REFUSED: State = { kind: "refused" };

type Waiter = { readonly resolve: () => void; readonly reject: (error: Error) => void; readonly untilSeq: number };

/** A higher fencing token owns the job, or the publisher was closed: nothing more is published. */
export class WriterRefused extends Error {
  override readonly name = "WriterRefused";
}

export class JobEventWriter {
  readonly jobId: string;
  readonly fencingToken: number;
  /** The `seq` of the last event appended. */
  seq: number;
  /** For the publisher: the connection on which Redis confirmed the last batch. */
  confirmedOn: unknown = "none";

  readonly #signals: WriterSignals;
  readonly #schedule: (writer: JobEventWriter) => void;
  #state: State = IDLE;
  #pending: PendingEvents;
  #confirmedSeq: number;
  readonly #confirmedFrames = new ConfirmedFrames();
  #waiters: Waiter[] = [];
  /** What counts against the limits. */
  readonly #appended = { events: 0, chars: 0 };
  #unconfirmedChars = 0;

  constructor({ jobId, fencingToken, seq, signals, schedule, claimsJob }: WriterOptions) {
    this.jobId = jobId;
    this.fencingToken = fencingToken;
    this.seq = seq;
    this.#confirmedSeq = seq;
    this.#pending = new PendingEvents(seq, claimsJob);
    this.#signals = signals;
    this.#schedule = schedule;
  }

  /**
   * Makes the next events follow `seq`, the last one in the log, below the number to which the claim raised it. Only
   * valid before the first event is appended, and for an end alone: it is checked by its fencing token.
   */
  goBackTo(seq: number): void {
    this.seq = seq;
    this.#confirmedSeq = seq;
    this.#pending = new PendingEvents(seq, false);
  }

  /** Makes the first event's `seq` higher than the given one. Only valid before the first event is appended. */
  skipTo(seq: number): void {
    if (seq <= this.seq) return;
    this.seq = seq;
    this.#confirmedSeq = seq;
    this.#pending.first = seq + 1;
  }

  /** Appends one event. Throws `event_limit_exceeded` beyond the limits, which terminal events do not count against. */
  append(event: JobEvent): void {
    if (this.#state.kind === "refused") return;
    const frame = encodeEvent(this.seq + 1, event);
    this.#appended.chars += frame.length;
    const isEnd = event.event === "done" || event.event === "error";
    if (!isEnd && (++this.#appended.events > MAX_EVENTS || this.#appended.chars > MAX_CHARS))
      throw new PlatformError("event_limit_exceeded");
    this.seq += 1;
    this.#pending.add(frame, event);
    this.#unconfirmedChars += frame.length;
    if (this.#state.kind === "idle") this.#schedule(this);
  }

  /** Whether somebody waits for the next batch: the first event of a job, its end, or what the agent waits for. */
  get isUrgent(): boolean {
    return this.#waiters.length > 0 || this.#pending.isUrgent;
  }

  /** True while so many characters are unconfirmed that the agent must wait for `flushed()`. */
  get congested(): boolean {
    return this.#unconfirmedChars > CONGESTED_CHARS;
  }

  /** Resolves when Redis has confirmed all events that were appended before the call. Rejects with `WriterRefused`. */
  flushed(): Promise<void> {
    if (this.#state.kind === "refused") return Promise.reject(new WriterRefused());
    if (this.#confirmedSeq >= this.seq) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject, untilSeq: this.seq });
      if (this.#state.kind === "idle") this.#schedule(this);
    });
  }

  /** For the publisher: the next batch to send. It stays the same until `settleBatch`. */
  takeBatch(): PendingBatch {
    if (this.#state.kind === "inFlight") return this.#state.batch;
    const batch = this.#pending.toBatch(this.jobId, this.fencingToken, this.seq);
    this.#pending = new PendingEvents(this.seq, false);
    this.#state = { kind: "inFlight", batch };
    return batch;
  }

  /**
   * For the publisher: processes the script's reply to the batch; null if there is none. True: there is more to send.
   */
  settleBatch(reply: number | null): boolean {
    if (this.#state.kind !== "inFlight") return false;
    const { batch } = this.#state;
    const logEndsAt = reply === null ? null : lastSeqIfBehind(reply);
    if (logEndsAt !== null) return this.#resendAfter(logEndsAt, batch);
    if (reply === null || reply === PublishReply.refused) {
      this.#refuse();
      if (reply !== null) this.#signals.refused();
      return false;
    }
    this.#state = IDLE;
    this.#confirm(batch);
    if (reply === PublishReply.appendedCancelRequested) this.#signals.cancelRequested();
    return this.seq > this.#confirmedSeq;
  }

  #confirm(batch: PendingBatch): void {
    this.#confirmedSeq = batch.last;
    this.#unconfirmedChars -= batch.bytes.length;
    this.#confirmedFrames.add(batch);
    if (this.#waiters.length === 0) return;
    const reached = this.#waiters.filter(({ untilSeq }) => untilSeq <= batch.last);
    this.#waiters = this.#waiters.filter(({ untilSeq }) => untilSeq > batch.last);
    for (const { resolve } of reached) resolve();
  }

  /** Redis restarted with an older state, whose log ends at `seq`: prepends the lost frames to the batch. */
  #resendAfter(seq: number, batch: PendingBatch): boolean {
    const lost = this.#confirmedFrames.removeAfter(seq);
    if (lost === null) {
      this.#refuse();
      this.#signals.refused();
      return false;
    }
    const resent = { ...batch, previousSeq: seq, first: readBounds(lost).first, bytes: `${lost}${batch.bytes}` };
    this.#unconfirmedChars += resent.bytes.length - batch.bytes.length;
    this.#state = { kind: "inFlight", batch: resent };
    return true;
  }

  #refuse(): void {
    this.#state = REFUSED;
    for (const { reject } of this.#waiters) reject(new WriterRefused());
    this.#waiters = [];
  }
}

/** The events that are in no batch yet. */
class PendingEvents {
  first: number;
  readonly #previousSeq: number;
  readonly #claimsJob: boolean;
  readonly #frames: string[] = [];
  #ended: TerminalStatus | null = null;
  #progress: string | null = null;

  constructor(previousSeq: number, claimsJob: boolean) {
    this.first = previousSeq + 1;
    this.#previousSeq = previousSeq;
    this.#claimsJob = claimsJob;
  }

  get isUrgent(): boolean {
    return this.#claimsJob || this.#ended !== null;
  }

  add(frame: string, event: JobEvent): void {
    this.#frames.push(frame);
    if (event.event === "done") this.#ended = event.data.status;
    if (event.event === "thought" && event.data.type === "progress") this.#progress = JSON.stringify(event.data);
  }

  toBatch(jobId: string, fencingToken: number, last: number): PendingBatch {
    return {
      jobId,
      fencingToken,
      previousSeq: this.#previousSeq,
      first: this.first,
      last,
      bytes: this.#frames.join(""),
      ended: this.#ended,
      progress: this.#progress,
      claimsJob: this.#claimsJob,
      isOrdinary: this.#ended === null && this.#progress === null && !this.#claimsJob,
    };
  }
}
