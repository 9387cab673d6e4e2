/**
 * Gives memory back that a process needs no more. V8 keeps what it once took: a start, which loads hundreds of modules,
 * leaves a heap that is half empty, and a burst of streams leaves a larger one. Only a full collection returns it, and
 * an idle process never makes one by itself.
 */
import { Session } from "node:inspector/promises";
import { SECOND } from "../time.ts";

const LOOK_EVERY_MS = 10 * SECOND;
/** Of one processor. A collection stops the process for some 100 ms, so it waits until nobody would notice. */
const IDLE_LOAD = 0.03;
/** Growth since the last collection that is worth another one. */
const WORTH = { factor: 1.25, bytes: 8 * 1024 * 1024 };

/** A full collection, as a debugger asks for it; Node has no other way without a flag. */
export async function collectGarbage(): Promise<void> {
  const session = new Session();
  session.connect();
  try {
    await session.post("HeapProfiler.enable");
    await session.post("HeapProfiler.collectGarbage");
  } finally {
    session.disconnect();
  }
}

/** Collects now, and again whenever the process is idle and its heap has grown. It keeps no process alive. */
export async function returnMemoryWhenIdle(lookEveryMs = LOOK_EVERY_MS): Promise<void> {
  await collectGarbage();
  let kept = process.memoryUsage().heapTotal;
  let cpu = process.cpuUsage();
  const look = async () => {
    const { user, system } = process.cpuUsage(cpu);
    cpu = process.cpuUsage();
    const load = (user + system) / (lookEveryMs * 1_000);
    const { heapTotal } = process.memoryUsage();
    if (load > IDLE_LOAD || heapTotal < kept * WORTH.factor || heapTotal < kept + WORTH.bytes) return;
    await collectGarbage();
    kept = process.memoryUsage().heapTotal;
    cpu = process.cpuUsage();
  };
  setInterval(() => look().catch(() => {}), lookEveryMs).unref();
}
