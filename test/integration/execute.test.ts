/**
 * Execute jobs, from the 202 to a result that outlives Redis: accepted at once, polled or waited for while queued,
 * running and completed (I1), and readable as soon as the terminal event is published (I3).
 */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ApiClient, Json } from "../support/api-client.ts";
import { isDelayed } from "../support/bullmq.ts";
import { cancelUnfinished } from "../support/cancel-unfinished.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { emptyRedis, readDatabase } from "../support/platform-state.ts";
import { shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let platform: TestPlatform;
let alice: ApiClient;
beforeAll(async () => {
  platform = await startTestPlatform({ env: { WORKER_EXECUTE_CONCURRENCY: "1" } });
  ({ alice } = platform);
});
afterEach(() => cancelUnfinished(alice));
afterAll(() => platform.stop());

const listed = async (query: string): Promise<string[]> =>
  (await alice.get(`/jobs?${query}`)).body.jobs.map(({ id }: Json) => id);

test("an execute request is answered with its queued job and the links of the job", async () => {
  const { status, headers, body } = await alice.post("/agents/chat_basic/execute", { task: "[[text=Sure]] Accept me" });
  expect(status).toBe(202);
  expect(body).toEqual({
    job_id: expect.stringMatching(UUID),
    session_id: null,
    status: "queued",
    links: {
      self: `/api/v1/jobs/${body.job_id}`,
      events: `/api/v1/jobs/${body.job_id}/events`,
      cancel: `/api/v1/jobs/${body.job_id}/cancel`,
    },
  });
  expect(headers.get("location")).toBe(body.links.self);
  expect(headers.get("x-job-id")).toBe(body.job_id);
  expect((await alice.ended(body.job_id)).status).toBe("completed");
});

test("a polled job is queued with its position, then running, then completed with its result and usage", async () => {
  const inFront = await alice.execute("[[tokens=1 ttft=60000]] Long one in front");
  await alice.started(inFront);
  const second = await alice.execute("[[tokens=20 rate=10]] Second in line");
  const third = await alice.execute("[[text=Third%20answer]] Third in line");

  const queued = await alice.get(`/jobs/${third}`);
  expect(queued.headers.get("retry-after")).toBe("1");
  expect(queued.body).toMatchObject({
    id: third,
    kind: "execute",
    agent_type: "chat_basic",
    status: "queued",
    queue_position: 2,
    attempt: null,
    result: null,
    error: null,
    usage: null,
    started_at: null,
    finished_at: null,
  });
  expect((await alice.job(second)).queue_position).toBe(1);

  expect((await listed("status=queued")).sort()).toEqual([second, third].sort());
  expect(await listed("status=running")).toEqual([inFront]);
  // Newest first; queued and running jobs are mixed.
  expect(await listed("limit=2")).toEqual([third, second]);

  await alice.cancel(inFront);
  await alice.started(second);
  // A job leaves the list of those that wait once its row is written.
  await waitFor("the first place", async () => (await alice.job(third)).queue_position === 1);
  const running = await alice.get(`/jobs/${second}`);
  expect(running.headers.get("retry-after")).toBe("1");
  expect(running.body).toMatchObject({ attempt: 1, queue_position: null, finished_at: null });

  const { created_at, started_at, finished_at, ...completed } = await alice.ended(third);
  expect(completed).toMatchObject({
    id: third,
    session_id: null,
    status: "completed",
    attempt: 1,
    queue_position: null,
    result: { content: "Third answer" },
    error: null,
    usage: { output_tokens: 2 },
  });
  expect(completed.usage.input_tokens).toBeGreaterThan(0);
  expect(completed.usage.total_tokens).toBe(completed.usage.input_tokens + completed.usage.output_tokens);
  // ISO 8601 in UTC: texts have the order of their times.
  expect(created_at < started_at && started_at <= finished_at).toBe(true);
});

test("a request with wait is answered when the job has ended, not when its time is over", async () => {
  // Still runs for half a minute when the job that is waited for has ended.
  const chat = await alice.chat({ message: "[[tokens=600 rate=20]] Longer than the job" });
  const jobId = await alice.execute("[[tokens=10 rate=5]] Two seconds");
  const { status, headers, body } = await alice.get(`/jobs/${jobId}?wait=60`);
  expect((await alice.job(chat.jobId)).status).toBe("running");
  expect(status).toBe(200);
  expect(body.status).toBe("completed");
  expect(headers.get("retry-after")).toBeNull();
});

test("a request with wait is answered with the unfinished job when its time is over", async () => {
  const jobId = await alice.execute("[[tokens=1 ttft=60000]] Outlives the wait");
  const answered: string[] = [];
  const ask = async (query: string) => {
    const answer = await alice.get(`/jobs/${jobId}${query}`);
    answered.push(query);
    return answer;
  };
  const waiting = ask("?wait=1");
  await ask("");
  const { body, headers } = await waiting;
  expect(answered).toEqual(["", "?wait=1"]);
  expect(["queued", "running"]).toContain(body.status);
  expect(headers.get("retry-after")).toBe("1");
  await alice.cancel(jobId);
  await alice.ended(jobId);
});

test("a job that waits for its retry is running, by itself and in lists", async () => {
  const jobId = await alice.execute("[[fault=429 retry_after=40]] Refused for now");
  for await (const { data } of (await alice.follow(jobId)).events()) if (data.code === "model_rate_limited") break;
  expect(await alice.job(jobId)).toMatchObject({ status: "running", attempt: 1, queue_position: null });
  await waitFor("the job to be delayed", () => isDelayed(platform, "execute", jobId));
  expect(await listed("status=running")).toContain(jobId);
  expect(await listed("status=queued")).not.toContain(jobId);
  await alice.cancel(jobId);
  await alice.ended(jobId);
});

test("the input of an execute job reaches the model below its task", async () => {
  const jobId = await alice.execute("[[text=Read]] Sum up the input", { input: { rows: [1, "zwei", null] } });
  await alice.ended(jobId);
  const [call] = await platform.model.calls({ contains: "Sum up the input" });
  const { messages } = await platform.model.call(call?.id ?? 0);
  expect(messages).toHaveLength(1);
  const content = String(messages?.[0]?.content);
  expect(content).toMatch(/^\[\[text=Read\]\] Sum up the input\n/);
  expect(JSON.parse(content.slice(content.indexOf("{")))).toEqual({ rows: [1, "zwei", null] });
});

test("the task and the answer of an execute job in a session become part of its history", async () => {
  const chat = await alice.chat({ message: "[[text=Hi]] Hello" });
  await chat.all();
  const jobId = await alice.execute("[[text=Report]] Write it", { session_id: chat.sessionId });
  expect((await alice.ended(jobId)).session_id).toBe(chat.sessionId);
  const messages = await alice.history(chat.sessionId);
  expect(messages.map(({ role, content, job_id }) => [role, content, job_id])).toEqual([
    ["user", "[[text=Hi]] Hello", chat.jobId],
    ["assistant", "Hi", chat.jobId],
    ["user", "[[text=Report]] Write it", jobId],
    ["assistant", "Report", jobId],
  ]);
});

/** What the database has of a job that decides what it does. */
async function storedOf(jobId: string) {
  const [row] = await readDatabase(platform, (table) =>
    table("agent_logs")
      .leftJoin("message_parts", "message_parts.job_id", "agent_logs.id")
      .leftJoin("job_inputs", "job_inputs.job_id", "agent_logs.id")
      .where("agent_logs.id", jobId)
      .select("kind", "agent_type", "session_id", "task", "metadata", "parts", "inputs"),
  );
  return row;
}

test("a job that waits is run again with all that it was given, large fields included, once for a key", async () => {
  const inFront = await alice.execute("[[tokens=1 ttft=60000]] In front");
  await alice.started(inFront);
  const given = { input: { page: "x".repeat(5_000) }, metadata: { large: "y".repeat(3_000) } };
  const waiting = await alice.execute("[[text=Read]] Read this", given);
  const key = { "Idempotency-Key": waiting };
  const [one, other] = [
    await alice.post(`/jobs/${waiting}/rerun`, {}, key),
    await alice.send("POST", `/jobs/${waiting}/rerun`, { headers: key }),
  ];
  expect([one.status, other.body]).toEqual([202, one.body]);
  await alice.cancel(inFront);
  await alice.ended(one.body.job_id);
  expect(await storedOf(one.body.job_id)).toEqual(await storedOf(waiting));
});

test("a job of a session is run again in it", async () => {
  const { session_id } = (await alice.chatWhole("[[text=Hi]] Hello", { config: { temperature: 0.5 } })).body;
  const jobId = await alice.execute("[[text=Report]] Write it", { session_id });
  await alice.ended(jobId);
  const { body } = await alice.post(`/jobs/${jobId}/rerun`, {});
  expect(body.session_id).toBe(session_id);
  await alice.ended(body.job_id);
  const messages = await alice.history(session_id);
  expect(messages.map(({ content }) => content).slice(2)).toEqual(
    Array.from({ length: 2 }, () => ["[[text=Report]] Write it", "Report"]).flat(),
  );
});

test("a chat, and a job that brought results of the client's calls, are not run again", async () => {
  const tools = [{ name: "look", parameters: { type: "object" } }];
  const asked = await alice.chatWhole("[[calls=look({})]] Look", { tools });
  const { session_id, tool_calls } = asked.body;
  const tool_results = [{ call_id: tool_calls[0].call_id, content: "[[text=Seen]]" }];
  const goesOn = await alice.post("/agents/chat_basic/execute", { session_id, tool_results });
  await alice.ended(goesOn.body.job_id);
  const answers = await Promise.all(
    [asked.body.job_id, goesOn.body.job_id].map((id) => alice.post(`/jobs/${id}/rerun`, {})),
  );
  expect(answers.map(({ status, body }) => [status, body.error])).toMatchObject([
    [400, { code: "invalid_request", param: "id", message: expect.stringContaining("replace_from") }],
    [400, { code: "invalid_request", param: "id", message: expect.stringContaining("tool_results") }],
  ]);
});

test("an ended job keeps its result and its stream when Redis has lost all data", async () => {
  const jobId = await alice.execute("[[text=Kept%20for%20good]] Remember me");
  const before = await alice.ended(jobId);
  const live = await (await alice.follow(jobId)).all();
  await emptyRedis(platform);
  expect(await alice.job(jobId)).toEqual(before);
  const replayed = await (await alice.follow(jobId)).all();
  expect(shownText(replayed)).toBe("Kept for good");
  expect(replayed.at(-1)).toEqual(live.at(-1));
});

test("a job is run again with all that it was given, also when Redis has lost all data", async () => {
  const task = [
    { type: "text", text: "[[text=Seen]] Look at this" },
    { type: "image_url", image_url: { url: "https://example.com/a.png" } },
  ];
  const given = { input: { id: 2 ** 53 }, config: { temperature: 0.25 }, limits: { max_steps: 3 }, metadata: { n: 1 } };
  const first = (await alice.post("/agents/chat_basic/execute", { task, ...given })).body.job_id;
  await alice.ended(first);
  await emptyRedis(platform);
  await waitFor("the agents", async () => (await alice.get("/readyz")).status === 200);
  const { status, headers, body } = await alice.post(`/jobs/${first}/rerun`, {});
  expect([status, body]).toMatchObject([202, { session_id: null, status: "queued" }]);
  expect([headers.get("location"), headers.get("x-job-id")]).toEqual([body.links.self, body.job_id]);
  expect(body.job_id).not.toBe(first);
  const again = await alice.ended(body.job_id);
  expect(again).toMatchObject({ status: "completed", result: { content: "Seen" }, metadata: { n: 1 } });
  const stored = await storedOf(first);
  expect(await storedOf(body.job_id)).toEqual(stored);
  const { input, config, limits } = given;
  expect([JSON.parse(stored.inputs), JSON.parse(stored.parts)]).toEqual([{ input, config, limits }, task]);
  const shared = (await alice.post(`/jobs/${body.job_id}/rerun`, {})).body.job_id;
  expect((await alice.ended(shared)).result.content).toBe("Seen");
});
