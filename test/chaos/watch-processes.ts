/** Samples memory and descriptors of all processes of a run from /proc. */
import { readdir, readFile } from "node:fs/promises";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Stack } from "./stack.ts";
import type { RunRecord } from "./transcript.ts";

const SAMPLE_EVERY_MS = 5 * SECOND;

export function watchProcesses({ apis, workers, redis }: Stack, record: RunRecord): { stop(): void } {
  async function sample(name: string, pid: number): Promise<void> {
    try {
      const [status, descriptors] = await Promise.all([
        readFile(`/proc/${pid}/status`, "utf8"),
        readdir(`/proc/${pid}/fd`),
      ]);
      const rssKb = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
      // A process that is just ending has no memory left.
      if (rssKb === 0) return;
      record.write({ type: "sample", value: { at: Date.now(), name, pid, rssKb, descriptors: descriptors.length } });
    } catch {
      // The process is dead at the moment; the next sample may find its successor.
    }
  }
  const timer = setInterval(() => {
    for (const { name, pid } of [...apis, ...workers]) void sample(name, pid);
    void sample("redis", redis.pid);
  }, SAMPLE_EVERY_MS);
  return { stop: () => clearInterval(timer) };
}
