import { expect, test } from "vitest";
import { jobPayload } from "../../../../test/support/job-payload.ts";
import type { SweptJob } from "../storage/suspension-repository.ts";
import { createSuspendedSweep, type SuspendedSweepDeps } from "./suspended-jobs.ts";

const swept = (job_id: string): SweptJob => ({
  ...{ job_id, suspended_at: 0, last_seq: 1, options: "{}", fencing_token: 1, attempts: 1, is_decided: false },
  payload: JSON.stringify(jobPayload()),
});

/** Passes of a sweep over these jobs; `lost`: those whose events Redis has lost. */
function sweeping(jobs: readonly SweptJob[], { expired = [] as string[], broken = "", lost = "" } = {}) {
  const done: string[] = [];
  const failed: unknown[] = [];
  const sweep = createSuspendedSweep({
    redis: { exists: async () => 0 } as never,
    keys: { decisions: (jobId: string) => jobId } as never,
    rows: { expired: async () => expired, page: async () => [...jobs] },
    suspensions: {
      async resume(jobId) {
        if (jobId === broken) throw new Error("cannot be resumed");
        done.push(`resume ${jobId}`);
      },
      async enter({ job_id }) {
        done.push(`enter ${job_id}`);
        return true;
      },
    },
    restorer: { keep: async () => true },
    claims: {
      cancelRequested: async () => [],
      hasLost: async (jobId, lastSeq) => jobId === lost && lastSeq === 1,
    },
    logger: {
      error: (fields: { job_id: string }) => failed.push(fields.job_id),
    } as unknown as SuspendedSweepDeps["logger"],
  });
  return { sweep, done, failed };
}

test("a suspended job that cannot be read or resumed is reported, and the others are looked after", async () => {
  const jobs = [
    { ...swept("odd"), payload: "{" },
    { ...swept("decided"), is_decided: true },
  ];
  const { sweep, done, failed } = sweeping(jobs, { expired: ["broken", "expired"], broken: "broken" });
  await sweep();
  expect([done, failed]).toEqual([
    ["resume expired", "resume decided"],
    ["broken", "odd"],
  ]);
});

test("a suspended job whose events Redis has lost enters its queue, which shows again what it asks", async () => {
  const { sweep, done } = sweeping([swept("kept"), swept("lost")], { lost: "lost" });
  await sweep();
  expect(done).toEqual(["enter lost"]);
});
