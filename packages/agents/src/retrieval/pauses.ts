/** Lets the event loop do other work between the pieces of a long computation. */
import { setImmediate } from "node:timers/promises";

/** How long a computation may block the event loop, ms. */
const SLICE_MS = 4;

/** To be awaited after each piece. Throws the signal's reason if it has aborted meanwhile. */
export function createPauses(signal: AbortSignal): () => Promise<void> {
  let sliceEnd = performance.now() + SLICE_MS;
  return async () => {
    if (performance.now() <= sliceEnd) return;
    await setImmediate();
    signal.throwIfAborted();
    sliceEnd = performance.now() + SLICE_MS;
  };
}
