/** Agents of plugins that report progress, throw, return invalid data, hang, or stop reading the model. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { FIXTURE_AGENTS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
beforeAll(async () => {
  const env = { ...FIXTURE_AGENTS, EXECUTE_DEADLINE_MS: "3000" };
  platform = await startTestPlatform({ env });
});
afterAll(() => platform.stop());

const run = (agent: string, task: string) => platform.alice.execute(task, {}, agent);

test("a job shows its progress while it runs, and its data in the result", async () => {
  const jobId = await run("stepping", "[[tokens=20 rate=10]] step by step");
  const running = await waitFor("progress", async () => {
    const job = await platform.alice.job(jobId);
    return job.status === "running" && job.progress !== null && job;
  });
  expect(running.progress).toEqual({ content: "Asking the model", type: "progress", progress: 0.25 });
  const { status, result, usage } = await platform.alice.ended(jobId);
  expect([status, result.data, usage.output_tokens]).toEqual(["completed", { steps: 2 }, 20]);
});

test("an error that an agent throws fails its job, and its message is not shown", async () => {
  const job = await platform.alice.ended(await run("throwing", "please"));
  expect(job).toMatchObject({
    status: "failed",
    attempt: 1,
    error: { code: "agent_failed" },
  });
  expect(job.result).toEqual({ content: "Before " });
  expect(JSON.stringify(job)).not.toContain("secret-detail");
});

test("data that JSON cannot hold fails the job without a retry", async () => {
  const job = await platform.alice.ended(await run("cyclic", "please"));
  expect(job).toMatchObject({ status: "failed", attempt: 1, error: { code: "agent_failed" } });
});

test("an agent that ignores its signal is cancelled, and ends at its deadline", async () => {
  const cancelled = await run("deaf", "wait");
  await platform.alice.started(cancelled);
  await platform.alice.cancel(cancelled);
  expect(await platform.alice.ended(cancelled)).toMatchObject({ status: "cancelled" });
  const overdue = await platform.alice.ended(await run("deaf", "wait"));
  expect(overdue).toMatchObject({
    status: "failed",
    error: { code: "deadline_exceeded" },
    result: { content: "I am waiting" },
  });
});

test("an agent that stops reading the model closes its model call", async () => {
  const job = await platform.alice.ended(await run("listening", "[[tokens=500 rate=20]] a long story"));
  expect(job.status).toBe("completed");
  await waitFor("the upstream request to close", async () => {
    const [call] = await platform.model.calls({ contains: "a long story" });
    return call?.ended === "client_closed";
  });
});

test("a promise that an agent leaves behind and that rejects at a cancel does not end the worker", async () => {
  const cancelled = await run("forgetful", "[[tokens=500 rate=20]] on and on");
  await waitFor("the model to answer", async () => (await platform.model.calls({ contains: "on and on" })).length > 0);
  await platform.alice.cancel(cancelled);
  expect(await platform.alice.ended(cancelled)).toMatchObject({ status: "cancelled" });
  await waitFor("the upstream request to close", async () => (await platform.model.stats()).open_streams === 0);
  expect(await platform.alice.ended(await run("listening", "go on"))).toMatchObject({
    status: "completed",
    attempt: 1,
  });
});
