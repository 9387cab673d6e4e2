/**
 * Results of client tools that come while their session is busy. The jobs of a session run in order (I6), so a worker
 * decides on each when its turn comes: each call is answered once.
 */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { newId } from "../../packages/shared/src/ids.ts";
import type { Answer, Json } from "../support/api-client.ts";
import { cancelUnfinished } from "../support/cancel-unfinished.ts";
import { expectPairs, SCREEN, sentIn } from "../support/client-tools.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { BUSY } from "../support/two-apis.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterEach(() => cancelUnfinished(platform.alice));
afterAll(() => platform.stop());

/** A session whose model waits for one call of the client, and the request that brings its result. */
async function waitingSession() {
  const message = `${newId()} [[calls=read_screen({})]]`;
  const { body } = await platform.alice.chatWhole(message, { tools: [SCREEN] });
  const { session_id, tool_calls } = body;
  return { message, session_id, tool_results: [{ call_id: tool_calls[0].call_id, content: "Seen" }] };
}

const busy = async (session_id: string): Promise<string> => {
  const { jobId } = await platform.alice.chat({ session_id, message: `${BUSY} Instead` });
  await platform.alice.started(jobId);
  return jobId;
};

/** Accepted at once; ends when its turn has come. */
const send = (body: object) => platform.alice.post("/agents/chat_basic/execute", body);

const historyOf = async (sessionId: string): Promise<Json[]> =>
  (await platform.alice.get(`/chat/history?session_id=${sessionId}&include=tools`)).body.messages;

test("results wait behind a message that is cancelled, and still answer the call", async () => {
  const { message, session_id, tool_results } = await waitingSession();
  const ahead = await busy(session_id);
  const refused = await send({ session_id, tool_results, on_busy: "reject" });
  expect([refused.status, refused.body.error.code]).toEqual([409, "session_busy"]);
  const results = await send({ session_id, tool_results });
  expect(results.status).toBe(202);
  await platform.alice.cancel(ahead);
  expect((await platform.alice.ended(results.body.job_id)).result.content).toContain("Seen");
  const { messages } = await sentIn(platform, message);
  expect(messages.map(({ role }) => role).join(" ")).toBe("user assistant tool");
});

test("results interrupt the message that came instead of them", async () => {
  const { session_id, tool_results } = await waitingSession();
  const ahead = await busy(session_id);
  const results = await send({ session_id, tool_results, on_busy: "interrupt" });
  expect((await platform.alice.ended(results.body.job_id)).status).toBe("completed");
  expect((await platform.alice.ended(ahead)).status).toBe("cancelled");
});

/** How it ends, whether the API knows it at once or the worker at its turn. */
async function endOf({ status, body }: Answer<Json>): Promise<string> {
  if (status !== 202) return body.error.code;
  const { error } = await platform.alice.ended(body.job_id);
  return error?.code ?? "completed";
}

test("results behind a message that is answered come too late", async () => {
  const { session_id, tool_results } = await waitingSession();
  const ahead = await platform.alice.chat({ session_id, message: "[[tokens=30 rate=20]] Instead" });
  await platform.alice.started(ahead.jobId);
  expect(await endOf(await send({ session_id, tool_results }))).toBe("tool_call_answered");
  expect((await platform.alice.ended(ahead.jobId)).status).toBe("completed");
});

test("of results that are sent several times at once, one answers the call", async () => {
  const { session_id, tool_results } = await waitingSession();
  const contents = ["First", "Second", "Third"];
  const withContent = (content: string) => send({ session_id, tool_results: [{ ...tool_results[0], content }] });
  const sent = await Promise.all(contents.map(withContent));
  const ends = await Promise.all(sent.map(endOf));
  expect(ends.toSorted()).toEqual(["completed", "tool_call_answered", "tool_call_answered"]);
  // Also for later messages, whatever the refused ones brought behind it.
  const next = `${newId()} [[text=Fine]]`;
  await platform.alice.chatWhole(next, { session_id, tools: [SCREEN] });
  const asked = (await sentIn(platform, next)).messages;
  expectPairs(asked);
  expect(asked.find(({ role }) => role === "tool")?.content).toBe(contents[ends.indexOf("completed")]);
});

test("a client that answers with the thought, before the end of the job, is understood", async () => {
  const stream = await platform.alice.chat({ message: `${newId()} [[calls=read_screen({})]]`, tools: [SCREEN] });
  for await (const { data } of stream.events()) {
    if ((data as Json).client !== true) continue;
    const tool_results = [{ call_id: (data as Json).call_id, content: "At once" }];
    const results = await send({ session_id: stream.sessionId, tool_results });
    expect(results.status).toBe(202);
    expect((await platform.alice.ended(results.body.job_id)).result.content).toContain("At once");
  }
});

test("results and calls stand in their places when a message behind them was cancelled while it waited", async () => {
  const { session_id, tool_results } = await waitingSession();
  const ahead = await busy(session_id);
  const more = { agent_type: "tool_basic", session_id };
  const results = await send({ session_id, tool_results, task: "[[text=Answer%201]] With results" });
  const calls = 'calculator({"expression":"6*7"})';
  const calling = await platform.alice.chat({ ...more, message: `Then calls [[calls=${calls} text=Answer%202]]` });
  const last = await platform.alice.chat({ ...more, message: "Cancelled" });
  await platform.alice.cancel(last.jobId);
  await platform.alice.ended(last.jobId);
  await platform.alice.cancel(ahead);
  await platform.alice.ended(results.body.job_id);
  await platform.alice.ended(calling.jobId);

  const messages = await historyOf(session_id);
  const from = messages.findIndex(({ content }) => content === "Seen");
  expect(
    messages
      .slice(from)
      .map(({ role }) => role)
      .join(" "),
  ).toBe("tool user assistant user tool assistant user");
  expect(messages.slice(from).map(({ content }) => content)).toEqual([
    ...["Seen", expect.stringContaining("With results"), "Answer 1"],
    ...[expect.stringContaining("Then calls"), expect.stringContaining("42"), "Answer 2", "Cancelled"],
  ]);
  const next = `${newId()} [[text=Fine]]`;
  await platform.alice.chatWhole(next, more);
  const asked = (await sentIn(platform, next)).messages;
  expectPairs(asked);
  expect(asked.filter(({ role }) => role === "tool").map(({ content }) => content)).toEqual([
    "Seen",
    expect.stringContaining("42"),
  ]);
});
