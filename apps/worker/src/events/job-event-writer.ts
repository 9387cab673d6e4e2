/** The events of one attempt on their way to the log: numbered, encoded once, counted, bounded. */
import { encodeEvent, type JobEvent, readBounds } from "@agent-paas/shared/contract/events.ts";
import type { TerminalStatus } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { ConfirmedFrames } from "./confirmed-frames.ts";
import { lastSeqIfBehind, Verdict } from "./publish-script.ts";

/** Limits of what one attempt may say. */
export const MAX_EVENTS = 100_000;
export const MAX_BYTES = 32 * 1024 * 1024;

/**
 * What a run said last may be in no log: its worker died, and Redis came back without its last second. Clients may have seen
 * it, so the numbers of the next run begin beyond whatever the former can have said (I2).
 */
export const SEQ_SKIP_PER_ATTEMPT = MAX_EVENTS;

/** From so many unconfirmed bytes on, the agent waits for Redis. */
const CONGESTED_BYTES = 256 * 1024;

export type WriterSignals = {
  /** The job is no longer this attempt's: stop, say nothing. */
  readonly refused: () => void;
  readonly cancelRequested: () => void;
};

/** For writers without a run that could be stopped: `flushed()` tells them all they need. */
export const NO_SIGNALS: WriterSignals = { refused: () => {}, cancelRequested: () => {} };

export type PendingBatch = {
  readonly jobId: string;
  readonly fencingToken: number;
  /** The last `seq` of the log before it. */
  readonly previousSeq: number;
  readonly first: number;
  readonly last: number;
  readonly bytes: string;
  readonly ended: TerminalStatus | null;
  readonly progress: string | null;
  /** Whether it claims the job for its attempt. */
  readonly claims: boolean;
};

type Waiter = { resolve: () => void; reject: (error: Error) => void; untilSeq: number };

export class WriterRefused extends Error {
  override readonly name = "WriterRefused";
}

export class JobEventWriter {
  readonly jobId: string;
  readonly fencingToken: number;
  /** The `seq` of the last event appended. */
  seq: number;

  readonly #signals: WriterSignals;
  readonly #schedule: (writer: JobEventWriter) => void;
  #confirmedSeq: number;
  #events = 0;
  #bytes = 0;
  #unconfirmedChars = 0;
  #pending: string[] = [];
  #pendingPreviousSeq: number;
  #pendingFirst: number;
  #sent: PendingBatch | null = null;
  readonly #confirmed = new ConfirmedFrames();
  #ended: TerminalStatus | null = null;
  #progress: string | null = null;
  #waiters: Waiter[] = [];
  #refused = false;
  #claims: boolean;

  /** With `claims` the first batch claims the job. */
  constructor(
    jobId: string,
    fencingToken: number,
    seq: number,
    signals: WriterSignals,
    schedule: (writer: JobEventWriter) => void,
    claims = false,
  ) {
    this.jobId = jobId;
    this.fencingToken = fencingToken;
    this.seq = seq;
    this.#confirmedSeq = seq;
    this.#pendingPreviousSeq = seq;
    this.#pendingFirst = seq + 1;
    this.#signals = signals;
    this.#schedule = schedule;
    this.#claims = claims;
  }

  /** Before anything is appended: the first event's number is above `seq`. */
  skipTo(seq: number): void {
    if (seq <= this.seq) return;
    this.seq = seq;
    this.#confirmedSeq = seq;
    this.#pendingFirst = seq + 1;
  }

  /** Queues one event for the log. Throws `event_limit_exceeded` when the job has said too much. */
  append(event: JobEvent): void {
    if (this.#refused) return;
    const frame = encodeEvent(this.seq + 1, event);
    this.#bytes += frame.length;
    const isEnd = event.event === "done" || event.event === "error";
    if (!isEnd && (++this.#events > MAX_EVENTS || this.#bytes > MAX_BYTES))
      throw new PlatformError("event_limit_exceeded");
    this.seq += 1;
    this.#pending.push(frame);
    this.#unconfirmedChars += frame.length;
    if (event.event === "done") this.#ended = event.data.status;
    if (event.event === "thought" && event.data.type === "progress") this.#progress = JSON.stringify(event.data);
    if (this.#sent === null) this.#schedule(this);
  }

  /** True while so much is unconfirmed that the agent should wait for `flushed()`. */
  get congested(): boolean {
    return this.#unconfirmedChars > CONGESTED_BYTES;
  }

  /** Resolves when Redis has confirmed all that was appended before the call; rejects when it was refused. */
  flushed(): Promise<void> {
    if (this.#refused) return Promise.reject(new WriterRefused());
    if (this.#confirmedSeq >= this.seq) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject, untilSeq: this.seq }));
  }

  /** For the publisher: what is to be sent next; sent again until it is settled. */
  takeBatch(): PendingBatch {
    if (this.#sent === null) {
      this.#sent = {
        jobId: this.jobId,
        fencingToken: this.fencingToken,
        previousSeq: this.#pendingPreviousSeq,
        first: this.#pendingFirst,
        last: this.seq,
        bytes: this.#pending.join(""),
        ended: this.#ended,
        progress: this.#progress,
        claims: this.#claims,
      };
      this.#claims = false;
      this.#pending = [];
      this.#pendingPreviousSeq = this.seq;
      this.#pendingFirst = this.seq + 1;
      this.#progress = null;
    }
    return this.#sent;
  }

  /** For the publisher: the script's reply to the batch taken, null if there is none. True: there is more to send. */
  settleBatch(reply: number | null): boolean {
    const batch = this.#sent as PendingBatch;
    this.#sent = null;
    const behindAt = reply === null ? null : lastSeqIfBehind(reply);
    if (behindAt !== null) return this.#sendAgainBehind(behindAt, batch);
    if (reply === null || reply === Verdict.refused) {
      this.#refuse(reply === null);
      return false;
    }
    this.#confirm(batch);
    if (reply === Verdict.takenCancelRequested) this.#signals.cancelRequested();
    return this.seq > this.#confirmedSeq;
  }

  #confirm(batch: PendingBatch): void {
    this.#confirmedSeq = batch.last;
    this.#unconfirmedChars -= batch.bytes.length;
    this.#confirmed.add(batch);
    if (this.#waiters.length === 0) return;
    const reached = this.#waiters.filter(({ untilSeq }) => untilSeq <= batch.last);
    this.#waiters = this.#waiters.filter(({ untilSeq }) => untilSeq > batch.last);
    for (const { resolve } of reached) resolve();
  }

  /** Redis came back with an older state, up to `seq`: give it again what it had confirmed. */
  #sendAgainBehind(seq: number, batch: PendingBatch): boolean {
    const lost = this.#confirmed.takeAfter(seq);
    if (lost === null) {
      this.#refuse(false);
      return false;
    }
    this.#sent = { ...batch, previousSeq: seq, first: readBounds(lost).first, bytes: `${lost}${batch.bytes}` };
    this.#unconfirmedChars += this.#sent.bytes.length - batch.bytes.length;
    return true;
  }

  #refuse(silent: boolean): void {
    this.#refused = true;
    for (const { reject } of this.#waiters) reject(new WriterRefused());
    this.#waiters = [];
    if (!silent) this.#signals.refused();
  }
}
