/** What jobs that wait for people may use: a bounded number of them per owner, and no time of their own budget. */
import { expect, onTestFinished, test } from "vitest";
import { startTestPlatform } from "../support/platform.ts";
import { decide, waitingFor } from "../support/waiting-job.ts";

const config = { tools: ["calculator"], approve: ["calculator"] };
const TASK = `[[calls=calculator({"expression":"6*7"})]] bounded`;

test("a job beyond those that its owner may have waiting fails and says why, while the job of another owner waits", async () => {
  const platform = await startTestPlatform({ env: { MAX_SUSPENDED_JOBS_PER_OWNER: "1" } });
  onTestFinished(() => platform.stop());
  const { alice, bob } = platform;
  const first = await alice.execute(TASK, { config }, "tool_basic");
  const [asked] = await waitingFor(alice, first);
  const second = await alice.ended(await alice.execute(TASK, { config }, "tool_basic"));
  expect(second).toMatchObject({ status: "failed", error: { code: "suspended_jobs_limit" } });
  expect(second.usage.output_tokens).toBeGreaterThan(0);
  await waitingFor(bob, await bob.execute(TASK, { config }, "tool_basic"));
  await decide(alice, first, { request_id: asked.request_id, decision: "approve" });
  expect(await alice.ended(first)).toMatchObject({ status: "completed" });
  await waitingFor(alice, await alice.execute(TASK, { config }, "tool_basic"));
});
