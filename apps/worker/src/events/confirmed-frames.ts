/**
 * The frames of one attempt that Redis has confirmed and may lose all the same, to be given to it again (I2). They are kept as
 * bytes in two buffers, of which the older one is emptied when the newer one is old enough, and used again: as texts they
 * would be the better part of what a busy worker's garbage collector has to do.
 */
import { sliceAfter } from "@agent-paas/shared/contract/events.ts";
import { SECOND } from "@agent-paas/shared/time.ts";

/** What an append-only file synced every second can lose in a crash, and some. */
const KEEP_AT_LEAST_MS = 5 * SECOND;

const SMALLEST_BYTES = 256;

export class ConfirmedFrames {
  #older = new Span();
  #newer = new Span();
  #last = 0;

  /** Takes the frames of the next batch. */
  add({
    previousSeq,
    last,
    bytes,
  }: {
    readonly previousSeq: number;
    readonly last: number;
    readonly bytes: string;
  }): void {
    const now = Date.now();
    if (!this.#newer.isEmpty && now - this.#newer.since > KEEP_AT_LEAST_MS) {
      [this.#older, this.#newer] = [this.#newer, this.#older];
      this.#newer.clear();
    }
    if (this.#newer.isEmpty) this.#newer.begin(now, previousSeq);
    this.#newer.append(bytes);
    this.#last = last;
  }

  /** Gives back the frames after `seq`, where the log ends now; null when they are not all there. */
  takeAfter(seq: number): Buffer | null {
    const oldest = this.#older.isEmpty ? this.#newer : this.#older;
    if (oldest.isEmpty || seq < oldest.previousSeq || seq >= this.#last) return null;
    const frames = Buffer.concat([this.#older.frames, this.#newer.frames]);
    const lost = sliceAfter(frames, seq);
    const { since, previousSeq } = oldest;
    this.#older.clear();
    this.#newer.clear();
    this.#newer.begin(since, previousSeq);
    this.#newer.append(frames.toString("utf8", 0, frames.length - lost.length));
    this.#last = seq;
    return lost;
  }
}

/** The frames of some seconds. */
class Span {
  since = 0;
  /** The last `seq` of the log before them. */
  previousSeq = 0;
  #bytes = Buffer.alloc(0);
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  get frames(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  begin(since: number, previousSeq: number): void {
    this.since = since;
    this.previousSeq = previousSeq;
  }

  append(text: string): void {
    const needed = this.#length + Buffer.byteLength(text);
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(SMALLEST_BYTES, 2 * needed));
      this.frames.copy(larger);
      this.#bytes = larger;
    }
    this.#length += this.#bytes.write(text, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }
}
