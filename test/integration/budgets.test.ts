/**
 * `limits` on chats and execute jobs: a reached limit ends the job with `budget_exhausted`, and its partial result is
 * kept. The error's message names the limit and its value; its other words are not part of the contract.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

async function run(message: string, limits: object, agent = "tool_basic") {
  const stream = await platform.alice.chat({ agent_type: agent, message, limits });
  const events = await stream.all();
  const { body: job } = await platform.alice.get(`/jobs/${stream.jobId}`);
  return { events, job, error: events.find(({ event }) => event === "error")?.data, sessionId: stream.sessionId };
}

const exhausted = (limit: string, value: number) => ({
  code: "budget_exhausted",
  message: expect.stringMatching(new RegExp(`\\b${limit}\\b.*\\b${value}\\b`)),
});

const CALL = 'calculator({"expression":"1+1"})';

test.each([
  ["max_steps", 2, `[[calls=${CALL}|${CALL}|${CALL}]]`, 2],
  ["max_tool_calls", 1, `[[calls=${CALL};${CALL}]]`, 1],
  ["max_tool_calls", 0, `[[calls=${CALL}]]`, 1],
])("a job that reaches %s %i ends with budget_exhausted", async (limit, value, message, modelCalls) => {
  const label = `${limit}-${value}`;
  const { events, job, error } = await run(`${label} ${message}`, { [limit]: value });
  expect(error).toEqual({ ...exhausted(limit, value), retryable: false });
  expect(events.at(-1)).toMatchObject({ event: "done", data: { status: "failed" } });
  expect(job).toMatchObject({ status: "failed", attempt: 1, error: { code: "budget_exhausted" } });
  expect(await platform.model.calls({ contains: label })).toHaveLength(modelCalls);
});

test("max_output_tokens keeps the partial answer, in the job and in the history, and closes the upstream request", async () => {
  const { events, job, error, sessionId } = await run(
    "[[tokens=5000 rate=200]] go on",
    { max_output_tokens: 7 },
    "chat_basic",
  );
  expect(error).toMatchObject({ code: "budget_exhausted" });
  expect(events.filter(({ data }) => data.type === "text")).toHaveLength(7);
  expect(job.result.content).toBe(shownText(events));
  expect((await platform.alice.history(sessionId)).at(-1)).toMatchObject({
    role: "assistant",
    content: shownText(events),
  });
  await waitFor("the upstream request to be closed", async () => (await platform.model.stats()).open_streams === 0);
});

test("max_output_tokens counts the tokens of all model turns", async () => {
  const { error } = await run(`[[calls=${CALL} text=one%20two%20three%20four%20five%20six]]`, { max_output_tokens: 9 });
  expect(error).toMatchObject(exhausted("max_output_tokens", 9));
});

test("deadline_ms ends an execute job and keeps its partial result", async () => {
  const jobId = await platform.alice.execute("[[tokens=5000 rate=50]]", { limits: { deadline_ms: 500 } });
  const job = await platform.alice.ended(jobId);
  expect(job).toMatchObject({
    status: "failed",
    error: exhausted("deadline_ms", 500),
  });
  expect(job.result.content).not.toBe("");
});

test("deadline_ms counts over all attempts of a job: a retry has the rest of the time", async () => {
  const jobId = await platform.alice.execute("[[fault=503]] deadline over retries", { limits: { deadline_ms: 600 } });
  const job = await platform.alice.ended(jobId);
  expect(job).toMatchObject({ status: "failed", attempt: 2, error: { code: "budget_exhausted" } });
  expect(await platform.model.calls({ contains: "deadline over retries" })).toHaveLength(1);
});

test("a job within its limits completes, and a job without limits has those of the platform", async () => {
  const limits = { max_steps: 2, max_tool_calls: 1, max_output_tokens: 1_000, deadline_ms: 60_000 };
  expect((await run(`[[calls=${CALL}]]`, limits)).job.status).toBe("completed");
  const many = Array.from({ length: 25 }, (_, at) => `calculator({"expression":"${at}"})`).join("|");
  expect((await run(`[[calls=${many}]]`, {})).error).toMatchObject(exhausted("max_steps", 20));
});

test.each([
  [{ max_steps: 0 }, "limits.max_steps"],
  [{ max_tool_calls: -1 }, "limits.max_tool_calls"],
  [{ deadline_ms: "soon" }, "limits.deadline_ms"],
  [{ max_tokens: 5 }, "limits.max_tokens"],
])("the limits %j are refused", async (limits, param) => {
  const { status, body } = await platform.alice.post("/agents/chat_basic/execute", { task: "hi", limits });
  expect([status, body.error.code, body.error.param]).toEqual([400, "invalid_request", param]);
});
