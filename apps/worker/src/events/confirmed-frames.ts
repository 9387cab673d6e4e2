/**
 * The recently confirmed frames of one writer. Redis may lose them in a crash although it confirmed them; the writer
 * then sends them again (I2). They are kept as bytes in two buffers. When the frames of the newer buffer are old
 * enough, the older buffer is emptied and becomes the newer one. As strings, these frames would cause most of the
 * garbage collection of a busy worker.
 */
import { sliceAfter } from "@agent-paas/shared/contract/events.ts";
import { SECOND } from "@agent-paas/shared/time.ts";

/**
 * How long confirmed frames are kept at least, ms. Redis syncs its append-only file every second, so a crash loses
 * less.
 */
const KEEP_AT_LEAST_MS = 5 * SECOND;

const SMALLEST_BYTES = 256;

export type ConfirmedBatch = {
  /** The last `seq` of the log before the batch. */
  readonly previousSeq: number;
  readonly last: number;
  readonly bytes: string;
};

export class ConfirmedFrames {
  #older = new FrameBuffer();
  #newer = new FrameBuffer();
  /** The `seq` of the last confirmed frame. */
  #last = 0;

  /** Adds the frames of a batch. Batches must come in their order. */
  add({ previousSeq, last, bytes }: ConfirmedBatch): void {
    const now = performance.now();
    if (!this.#newer.isEmpty && now - this.#newer.since > KEEP_AT_LEAST_MS) {
      [this.#older, this.#newer] = [this.#newer, this.#older];
      this.#newer.clear();
    }
    if (this.#newer.isEmpty) this.#newer.begin(now, previousSeq);
    this.#newer.append(bytes);
    this.#last = last;
  }

  /** Removes and returns all frames after `seq`, the last one of the log; null if some of them are no longer kept. */
  removeAfter(seq: number): Buffer | null {
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

/** Consecutive frames. It keeps its memory when it is cleared. */
class FrameBuffer {
  /** When the first frame was confirmed, by the monotonic clock, ms. */
  since = 0;
  /** The last `seq` of the log before the first frame. */
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
      const larger = Buffer.allocUnsafeSlow(Math.max(SMALLEST_BYTES, Math.ceil(1.25 * needed)));
      this.frames.copy(larger);
      this.#bytes = larger;
    }
    this.#length += this.#bytes.write(text, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }
}
