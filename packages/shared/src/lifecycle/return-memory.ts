/**
 * Gives memory back that a process needs no more. V8 keeps what it once took: a start, which loads hundreds of modules,
 * leaves a heap that is half empty, and a burst of streams leaves a larger one. Only a full collection returns it, and
 * an idle process never makes one by itself.
 */
import { Session } from "node:inspector/promises";
import { setFlagsFromString } from "node:v8";
import { SECOND } from "../time.ts";

const LOOK_EVERY_MS = 10 * SECOND;
const MIB = 1_024 * 1_024;
/**
 * A collection stops the process for some 100 ms. So it waits until nobody would notice, or until it returns far more
 * than the young generation of a busy process takes. `load` is the part of the time in which the event loop did not
 * wait: unlike the processor's time it is also high for a process that others keep from running.
 */
const WORTH = [
  { load: 0.05, bytes: 8 * MIB },
  { load: 0.2, bytes: 56 * MIB },
] as const;

/**
 * The heap may grow by half before a busy process collects it. By itself V8 lets it grow fourfold, of which three parts
 * are what a burst of streams has thrown away.
 */
const GROWTH = "--heap-growing-percent=50";

/** A full collection, as a debugger asks for it; Node has no other way without a flag. */
async function collectGarbage(): Promise<void> {
  const session = new Session();
  session.connect();
  try {
    await session.post("HeapProfiler.enable");
    await session.post("HeapProfiler.collectGarbage");
  } finally {
    session.disconnect();
  }
}

/**
 * Collects once the process is idle, and again whenever it is idle and its heap has grown. It keeps no process alive.
 *
 * @param lookEveryMs time between two looks, and before the first; default: 10 s
 */
export function returnMemoryWhenIdle(lookEveryMs = LOOK_EVERY_MS): void {
  setFlagsFromString(GROWTH);
  // What a start leaves is returned by the first look that finds the process idle.
  let kept = 0;
  let before = performance.eventLoopUtilization();
  const look = async () => {
    const now = performance.eventLoopUtilization();
    const { utilization: load } = performance.eventLoopUtilization(now, before);
    before = now;
    const { heapTotal } = process.memoryUsage();
    if (!WORTH.some((bound) => load <= bound.load && heapTotal >= kept + bound.bytes)) return;
    await collectGarbage();
    kept = process.memoryUsage().heapTotal;
    before = performance.eventLoopUtilization();
  };
  setInterval(() => look().catch(() => {}), lookEveryMs).unref();
}
