/**
 * Fails commands that Redis does not answer. Time is counted in ticks of a timer, not by a clock: between two ticks the
 * event loop has read what had arrived, so a process that was busy for seconds reads first and judges afterwards. And a
 * Redis that is answering others before them is at work: then commands wait longer, as behind a burst of requests.
 */
import type { Command, Redis } from "ioredis";
import { SECOND } from "../time.ts";

const TICK_MS = SECOND / 10;
/** A command fails when it has waited for so long and no byte has arrived on its connection meanwhile, */
const SILENT_TICKS_MAX = 9;
/** and in any case after this time. */
const WAITING_TICKS_MAX = 50;

/** Returns a function that watches one command. */
export function limitAnswers(redis: Redis): (command: Command) => void {
  /** Each command with the tick at which it was sent, the oldest first. */
  const waiting = new Map<Command, number>();
  let timer: NodeJS.Timeout | undefined;
  let received = 0;
  let ticks = 0;
  let answeredAt = 0;

  function judge(): void {
    ticks += 1;
    // A new connection counts as an answer, too.
    const bytes = redis.stream?.bytesRead ?? 0;
    if (bytes !== received) answeredAt = ticks;
    received = bytes;
    for (const [command, sentAt] of waiting) {
      const isSilent = ticks - Math.max(answeredAt, sentAt) >= SILENT_TICKS_MAX;
      if (!isSilent && ticks - sentAt < WAITING_TICKS_MAX) break;
      waiting.delete(command);
      command.reject(new Error(`Redis has not answered for ${(ticks - sentAt) * TICK_MS} ms`));
    }
    if (waiting.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }

  return (command) => {
    waiting.set(command, ticks);
    const forget = () => void waiting.delete(command);
    command.promise.then(forget, forget);
    timer ??= setInterval(judge, TICK_MS).unref();
  };
}
