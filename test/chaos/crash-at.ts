/**
 * Loaded into workers before anything else (`NODE_OPTIONS=--import`): the first worker that reaches a failpoint for which
 * a file lies in the folder takes the file and dies there, in the middle of that very call.
 */
import { subscribe } from "node:diagnostics_channel";
import { appendFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { FAILPOINT_CHANNEL } from "@agent-paas/shared/lifecycle/failpoints.ts";

const folder = process.env.CHAOS_ARMED;

if (folder !== undefined) {
  subscribe(FAILPOINT_CHANNEL, (message) => {
    const { name, jobId } = message as { name: string; jobId: string };
    try {
      // Of several workers one takes it.
      renameSync(join(folder, name), join(folder, `${name}.${process.pid}`));
    } catch {
      return;
    }
    appendFileSync(join(folder, "crashes.jsonl"), `${JSON.stringify({ name, jobId, pid: process.pid })}\n`);
    process.kill(process.pid, "SIGKILL");
    // The signal may need a moment, in which nothing more may happen.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
}
