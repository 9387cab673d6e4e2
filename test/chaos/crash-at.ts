/**
 * Loaded into workers before anything else (`NODE_OPTIONS=--import`). A file in the folder CHAOS_ARMED arms the
 * failpoint of its name: the first worker that reaches the failpoint takes the file and kills itself inside that call.
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
      // Renaming succeeds in one worker only.
      renameSync(join(folder, name), join(folder, `${name}.${process.pid}`));
    } catch {
      return;
    }
    appendFileSync(join(folder, "crashes.jsonl"), `${JSON.stringify({ name, jobId, pid: process.pid })}\n`);
    process.kill(process.pid, "SIGKILL");
    // Blocks until the signal is delivered, so that no further code runs.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
}
