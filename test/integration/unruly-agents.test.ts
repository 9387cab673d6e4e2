/** What agents of others may do to the platform: report progress, throw, return nonsense, hang, stop listening. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { ROOT } from "../support/sources.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
beforeAll(async () => {
  const env = { AGENTS_DIR: join(ROOT, "test/fixtures/agents"), EXECUTE_DEADLINE_MS: "3000" };
  platform = await startTestPlatform({ env });
});
afterAll(() => platform.stop());

const run = (agent: string, task: string) => platform.alice.execute(task, {}, agent);

test("progress is seen while the job runs, and data comes with the result", async () => {
  const jobId = await run("stepping", "[[tokens=20 rate=20]] step by step");
  const running = await waitFor("progress", async () => {
    const { body } = await platform.alice.get(`/jobs/${jobId}`);
    return body.status === "running" && body.progress !== null && body;
  });
  expect(running.progress).toEqual({ content: "Asking the model", type: "progress", progress: 0.25 });
  const { status, result, usage } = await platform.alice.ended(jobId);
  expect([status, result.data, usage.output_tokens]).toEqual(["completed", { steps: 2 }, 20]);
});

test("what an agent throws ends its job, and its words stay inside", async () => {
  const job = await platform.alice.ended(await run("throwing", "please"));
  expect(job).toMatchObject({
    status: "failed",
    attempt: 1,
    error: { code: "agent_failed", message: "The agent failed." },
  });
  expect(job.result).toEqual({ content: "Before " });
  expect(JSON.stringify(job)).not.toContain("secret-detail");
});

test("data that JSON cannot hold is the agent's failure, once", async () => {
  const job = await platform.alice.ended(await run("cyclic", "please"));
  expect(job).toMatchObject({ status: "failed", attempt: 1, error: { code: "agent_failed" } });
});

test("an agent that heeds no signal is cancelled all the same, or runs out of time", async () => {
  const cancelled = await run("deaf", "wait");
  await waitFor("it to wait", async () => (await platform.alice.get(`/jobs/${cancelled}`)).body.status === "running");
  await platform.alice.post(`/jobs/${cancelled}/cancel`, {});
  expect(await platform.alice.ended(cancelled)).toMatchObject({ status: "cancelled" });
  const overdue = await platform.alice.ended(await run("deaf", "wait"));
  expect(overdue).toMatchObject({
    status: "failed",
    error: { code: "deadline_exceeded" },
    result: { content: "I am waiting" },
  });
});

test("an agent that stops listening closes its model call", async () => {
  const job = await platform.alice.ended(await run("listening", "[[tokens=500 rate=20]] a long story"));
  expect(job.status).toBe("completed");
  await waitFor("the upstream request to close", async () => {
    const [call] = await platform.model.calls({ contains: "a long story" });
    return call?.ended === "client_closed";
  });
});

test("what an agent leaves behind that rejects when its job is stopped does not end the worker", async () => {
  const cancelled = await run("forgetful", "[[tokens=500 rate=20]] on and on");
  await waitFor("the model to answer", async () => (await platform.model.calls({ contains: "on and on" })).length > 0);
  await platform.alice.post(`/jobs/${cancelled}/cancel`, {});
  expect(await platform.alice.ended(cancelled)).toMatchObject({ status: "cancelled" });
  await waitFor("the upstream request to close", async () => (await platform.model.stats()).open_streams === 0);
  expect(await platform.alice.ended(await run("listening", "go on"))).toMatchObject({
    status: "completed",
    attempt: 1,
  });
});
