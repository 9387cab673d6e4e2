/**
 * `orchestrator` when steps fail: budgets, cancel, retried and stopped steps, and a worker that dies between two steps
 * (I1, I5).
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ApiClient } from "../support/api-client.ts";
import { cancelDuring, readInBackground } from "../support/background-reader.ts";
import { cancelUnfinished } from "../support/cancel-unfinished.ts";
import { expectOneDone, expectWholeStream } from "../support/expect-stream.ts";
import { childEvents, planOf, runOrchestrator, startOrchestrator, stepsOf } from "../support/orchestrator.ts";
import { FIXTURE_AGENTS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
let alice: ApiClient;
beforeAll(async () => {
  platform = await startTestPlatform({ env: FIXTURE_AGENTS });
  ({ alice } = platform);
});
afterEach(async () => {
  await cancelUnfinished(alice);
  await platform.model.clear();
});
afterAll(() => platform.stop());

test("a child that exhausts the budget ends the whole job", async () => {
  const steps = ["a", "b", "c"].map((id) => ({ id, task: `[[tokens=400 rate=40]] ${id}` }));
  const config = { plan: planOf(...steps) };
  const bySteps = await runOrchestrator(alice, "Do it", config, { limits: { max_steps: 2 } });
  expect(bySteps.job).toMatchObject({ status: "failed", error: { code: "budget_exhausted" } });
  expect(stepsOf(bySteps.events).filter((what) => what.startsWith("failed"))).toEqual([]);
  expect((await platform.model.calls()).length).toBeLessThanOrEqual(2);

  const byTokens = await runOrchestrator(alice, "Do it", config, { limits: { max_output_tokens: 30 } });
  expect(byTokens.job.error).toEqual({
    code: "budget_exhausted",
    message: expect.stringContaining("max_output_tokens"),
  });
  expect(childEvents(byTokens.events, "a").length).toBeLessThan(30);
  await waitFor("the upstream requests to be closed", async () => (await platform.model.stats()).open_streams === 0);
});

test("a cancel ends every child, also a child that ignores its signal", async () => {
  const long = (id: string) => ({ id, task: `[[tokens=2000 rate=20]] ${id}` });
  const plan = planOf(
    long("a"),
    long("b"),
    { id: "c", agent: "deaf", task: "wait" },
    { ...long("d"), depends_on: ["a"] },
  );
  const { stream } = await startOrchestrator(alice, "Do it", { plan });
  const events = await cancelDuring(alice, stream, (_, seen) =>
    ["a", "b", "c"].every((step) => childEvents(seen, step).length > 0),
  );
  expectOneDone(events, "the cancelled job", "cancelled");
  expect(stepsOf(events)).toEqual(["started a", "started b", "started c"]);
  await waitFor("the upstream requests to be closed", async () => (await platform.model.stats()).open_streams === 0);
  expect((await platform.model.calls()).map(({ ended }) => ended)).toEqual(["client_closed", "client_closed"]);
});

test("a failed step with on_failure stop fails the job with its name, and its siblings are stopped", async () => {
  const plan = planOf(
    { id: "long", task: "[[tokens=2000 rate=20]] long" },
    { id: "must", task: "[[fault=400 ttft=300]] must", on_failure: "stop" },
    { id: "later", task: "later", depends_on: ["long"] },
  );
  const { events, job } = await runOrchestrator(alice, "Do it", { plan });
  expectOneDone(events, "the stopped job", "failed");
  expect(stepsOf(events).slice(2)).toEqual(["failed must", "skipped long", "skipped later"]);
  expect(job.error.code).toBe("delegation_failed");
  expect(job.error.message).toMatch(/"must".*model_rejected/);
  await waitFor("the upstream requests to be closed", async () => (await platform.model.stats()).open_streams === 0);
});

test("a child with a passing error is retried and does not repeat its finished tool calls", async () => {
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-orchestrator-"));
  const file = join(dir, "counted");
  await writeFile(file, "");
  const call = `count_once(${JSON.stringify({ file, word: "a" })})`;
  const plan = planOf({
    id: "flaky",
    agent: "tool_basic",
    task: `[[calls=${call} fault=503 turn=1 times=1 text=Counted]] flaky`,
    config: { tools: ["count_once"] },
  });
  const { events, job } = await runOrchestrator(alice, "Do it", { plan, join: "concat" });
  expectWholeStream(events, "Counted", "the job with the retried step");
  expect(stepsOf(events)).toEqual(["started flaky", "retrying flaky", "completed flaky"]);
  expect(job.attempt).toBe(1);
  expect((await readFile(file, "utf8")).trim().split("\n")).toHaveLength(1);
  await rm(dir, { recursive: true });
});

test("a job whose worker dies between two steps does not repeat the finished step", async () => {
  const plan = planOf(
    { id: "first", task: "[[text=Found]] the first of two" },
    { id: "second", task: "[[fault=silence times=1 text=Reported]] the second of two", depends_on: ["first"] },
  );
  const { jobId, stream } = await startOrchestrator(alice, "[[text=All%20done]] in spite of all", { plan });
  const { seen, whole } = readInBackground(stream);
  // The event log may be behind the agent.
  await waitFor(
    "the second step",
    async () =>
      stepsOf(seen).includes("started second") &&
      (await platform.model.calls({ contains: "second of two" })).length === 1,
  );
  await platform.workers[0]?.kill();
  await platform.startWorker();

  const events = await whole;
  expectWholeStream(events, "All done", "the job that started over");
  expect(stepsOf(events)).toEqual([
    ...["started first", "completed first", "started second", "completed first", "started second", "completed second"],
  ]);
  expect(events.filter(({ data }) => data.replayed === true).map(({ data }) => data.step)).toEqual(["first"]);
  const calls = async (contains: string) => (await platform.model.calls({ contains })).length;
  expect([await calls("first of two"), await calls("second of two")]).toEqual([1, 2]);
  const { body: job } = await alice.get(`/jobs/${jobId}`);
  expect(job).toMatchObject({ status: "completed", attempt: 2, result: { content: "All done" } });
}, 90_000);
