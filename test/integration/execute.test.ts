/**
 * Execute jobs, from the 202 to a result that outlives Redis: accepted at once, polled or waited for while queued,
 * running and completed (I1), and readable as soon as the terminal event is published (I3).
 */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ApiClient, Json } from "../support/api-client.ts";
import { isDelayed } from "../support/bullmq.ts";
import { cancelUnfinished } from "../support/cancel-unfinished.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { emptyRedis } from "../support/platform-state.ts";
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
