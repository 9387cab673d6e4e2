/**
 * One running answer: decides which pieces are due and what happens after the last of them.
 *
 * 1. A piece is sent at `start + ttft + index / rate`, never earlier, even if the previous tick was late.
 * 2. A playback waits for a client that reads slowly. Meanwhile nothing is buffered, because pieces are made when sent.
 * 3. The call ends in the log exactly once; from then on the pacer no longer holds the playback.
 */
import type { CallLog, OpenCall } from "./call-log.ts";
import type { Output, Usage } from "./output.ts";
import type { Paced, Pacer } from "./pacer.ts";
import type { Reply } from "./reply.ts";
import type { Step, StreamFault } from "./step.ts";

/** Pieces that an unpaced answer may send in one iteration of the event loop; about 12 kB on the wire. */
const SLICE = 64;
const KEEP_ALIVE_MS = 500;

export type PlaybackParts = {
  readonly reply: Reply;
  readonly step: Step;
  readonly fault: StreamFault | undefined;
  readonly output: Output;
  readonly call: OpenCall;
  readonly log: CallLog;
  readonly pacer: Pacer;
  readonly promptTokens: () => number;
};

export class Playback implements Paced {
  dueAt: number;
  readonly #parts: PlaybackParts;
  readonly #firstAt: number;
  /** Milliseconds between two pieces; 0: as fast as the client reads. */
  readonly #interval: number;
  #sent = 0;
  /** Number of pieces after which `#conclude` acts. */
  #stopAt: number;
  #fault: StreamFault | undefined;
  #onlyKeepAlive = false;

  constructor(parts: PlaybackParts) {
    this.#parts = parts;
    const { step, reply, fault } = parts;
    this.#firstAt = performance.now() + (step.ttft ?? 0);
    this.dueAt = this.#firstAt;
    this.#interval = step.rate ? 1000 / step.rate : 0;
    this.#fault = fault;
    const faultAt = step.after ?? (fault === "no_done" ? reply.length : 0);
    this.#stopAt = fault ? Math.min(faultAt, reply.length) : reply.length;
  }

  advance(now: number): void {
    if (this.#onlyKeepAlive) {
      this.#parts.output.keepAlive();
      this.dueAt = now + KEEP_ALIVE_MS;
      return;
    }
    this.#sendDue(now);
    if (this.#sent === this.#stopAt) {
      this.#conclude(now);
    } else if (this.#parts.output.flush()) {
      this.dueAt = this.#interval > 0 ? this.#firstAt + this.#sent * this.#interval : now;
    } else {
      this.dueAt = Infinity;
      this.#parts.output.drained(() => this.#resume());
    }
  }

  /** Must be called when the client has disconnected. */
  release(): void {
    this.#leave("client_closed");
  }

  #sendDue(now: number): void {
    const { reply, step, output, call, log } = this.#parts;
    const due = this.#interval > 0 ? Math.floor((now - this.#firstAt) / this.#interval) + 1 : Infinity;
    const until = Math.min(this.#stopAt, this.#sent + SLICE, due);
    const before = this.#sent;
    for (; this.#sent < until; this.#sent++) {
      const piece = reply.at(this.#sent);
      output.piece(step.stamp && typeof piece === "string" ? sendTime() + piece : piece);
    }
    if (this.#sent > before) log.sent(call, this.#sent - before);
  }

  #resume(): void {
    if (this.#parts.call.ended !== "open") return;
    this.dueAt = performance.now();
    this.#parts.pacer.add(this);
  }

  #conclude(now: number): void {
    const { output, reply, fault } = this.#parts;
    switch (this.#fault) {
      case undefined:
        output.finish(reply.finish, () => this.#usage());
        break;
      case "silence":
        output.stall();
        this.dueAt = Infinity;
        return;
      case "keepalive":
        this.#onlyKeepAlive = true;
        this.advance(now);
        return;
      case "malformed":
        if (!output.malformed()) break;
        this.#fault = undefined;
        this.#stopAt = reply.length;
        this.advance(now);
        return;
      case "error_chunk":
        output.error();
        break;
      case "no_done":
        output.finishUnmarked(() => this.#usage());
        break;
      case "cut":
        output.cut();
        break;
    }
    this.#leave(fault ? "fault" : "done");
  }

  #leave(how: "done" | "fault" | "client_closed"): void {
    this.dueAt = Infinity;
    this.#parts.pacer.remove(this);
    this.#parts.log.end(this.#parts.call, how);
  }

  #usage(): Usage {
    const prompt = this.#parts.promptTokens();
    return { prompt_tokens: prompt, completion_tokens: this.#sent, total_tokens: prompt + this.#sent };
  }
}

/**
 * `⟨1732268000000.123⟩`: the wall clock in milliseconds, finer than `Date.now()`. Another process of the machine
 * computes delays from the same sum. Each process takes its origin at its start, so a clock set in between shows as an
 * offset.
 */
function sendTime(): string {
  return `⟨${(performance.timeOrigin + performance.now()).toFixed(3)}⟩`;
}
