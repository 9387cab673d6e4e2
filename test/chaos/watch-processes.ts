/** Memory and descriptors of all processes of a run, as /proc tells, every few seconds. */
import { readdir, readFile } from "node:fs/promises";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Stack } from "./stack.ts";
import type { Record } from "./transcript.ts";

const EVERY_MS = 5 * SECOND;

export function watchProcesses({ apis, workers, redis }: Stack, record: Record): { stop(): void } {
  async function look(name: string, pid: number): Promise<void> {
    try {
      const [status, descriptors] = await Promise.all([
        readFile(`/proc/${pid}/status`, "utf8"),
        readdir(`/proc/${pid}/fd`),
      ]);
      const rssKb = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
      // A process that ends just now has no memory any more.
      if (rssKb === 0) return;
      record.write({ type: "sample", value: { at: Date.now(), name, pid, rssKb, descriptors: descriptors.length } });
    } catch {
      // It is dead at the moment.
    }
  }
  const timer = setInterval(() => {
    for (const { name, pid } of [...apis, ...workers]) void look(name, pid);
    void look("redis", redis.pid);
  }, EVERY_MS);
  return { stop: () => clearInterval(timer) };
}
