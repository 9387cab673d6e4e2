/** The time limit of one call of a tool, which begins anew whenever the call makes progress, within a longest time. */
import type { Tool } from "./tool.ts";

export type CallClock = {
  /** Aborts with a `TimeoutError` when the time is over. */
  readonly signal: AbortSignal;
  stillWorking(): void;
  /** How long the call had, ms. */
  waitedMs(): number;
  stop(): void;
};

export function createCallClock({
  timeoutMs,
  longestMs = timeoutMs,
}: Pick<Tool, "timeoutMs" | "longestMs">): CallClock {
  const over = new AbortController();
  const startedAt = performance.now();
  let extendedAt = 0;
  let isStopped = false;
  let timer = setTimeout(expire, timeoutMs);

  function expire(): void {
    over.abort(new DOMException("The time of the call is over", "TimeoutError"));
  }

  return {
    signal: over.signal,
    stillWorking() {
      if (isStopped || over.signal.aborted) return;
      extendedAt = performance.now() - startedAt;
      clearTimeout(timer);
      timer = setTimeout(expire, Math.max(0, Math.min(timeoutMs, longestMs - extendedAt)));
    },
    waitedMs: () => Math.max(timeoutMs, Math.round(Math.min(longestMs, extendedAt + timeoutMs))),
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
