/**
 * The frames of one attempt that Redis has confirmed and may lose all the same, to be given to it again (I2). They are kept as
 * two texts, of which the older one is dropped when the newer one is old enough: a list of batches would be the better
 * part of what a busy worker's garbage collector has to do.
 */
import { sliceAfter } from "@agent-paas/shared/contract/events.ts";
import { SECOND } from "@agent-paas/shared/time.ts";

/** What an append-only file synced every second can lose in a crash, and some. */
const KEEP_AT_LEAST_MS = 5 * SECOND;

type Span = {
  readonly since: number;
  /** The last `seq` of the log before it. */
  readonly follows: number;
  frames: string;
};

export class ConfirmedFrames {
  #older: Span | null = null;
  #newer: Span | null = null;
  #last = 0;

  /** Takes the frames of the next batch. */
  add({ follows, last, bytes }: { readonly follows: number; readonly last: number; readonly bytes: string }): void {
    const now = Date.now();
    if (this.#newer === null || now - this.#newer.since > KEEP_AT_LEAST_MS) {
      this.#older = this.#newer ?? this.#older;
      this.#newer = { since: now, follows, frames: "" };
    }
    this.#newer.frames += bytes;
    this.#last = last;
  }

  /** Gives back the frames after `seq`, where the log ends now; null when they are not all there. */
  takeAfter(seq: number): Buffer | null {
    const oldest = this.#older ?? this.#newer;
    if (oldest === null || seq < oldest.follows || seq >= this.#last) return null;
    const frames = Buffer.from((this.#older?.frames ?? "") + (this.#newer?.frames ?? ""));
    const lost = sliceAfter(frames, seq);
    const kept = frames.subarray(0, frames.length - lost.length).toString();
    this.#older = kept === "" ? null : { ...oldest, frames: kept };
    this.#newer = null;
    this.#last = seq;
    return lost;
  }
}
