/**
 * Execute jobs, from the 202 to a result that outlives Redis: accepted at once, polled or waited for through queued,
 * running and completed (I1), read as soon as the end is told (I3).
 */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ApiClient, Json } from "../support/api-client.ts";
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

const job = async (id: string): Promise<Json> => (await alice.get(`/jobs/${id}`)).body;
const listed = async (query: string): Promise<string[]> =>
  (await alice.get(`/jobs?${query}`)).body.jobs.map(({ id }: Json) => id);
const hasStatus = (id: string, status: string) => async () => (await job(id)).status === status;

test("a task is answered at once with its job and where to find it", async () => {
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

test("a poller sees queued with its place, running, and completed with all that belongs to it", async () => {
  const inFront = await alice.execute("[[tokens=1 ttft=60000]] Long one in front");
  await waitFor("the long job to run", hasStatus(inFront, "running"));
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
  expect((await job(second)).queue_position).toBe(1);

  expect((await listed("status=queued")).sort()).toEqual([second, third].sort());
  expect(await listed("status=running")).toEqual([inFront]);
  // Newest first, whether a job has started or not.
  expect(await listed("limit=2")).toEqual([third, second]);

  await alice.post(`/jobs/${inFront}/cancel`, {});
  await waitFor("the second job to run", hasStatus(second, "running"));
  expect((await job(third)).queue_position).toBe(1);
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
  // ISO 8601 in UTC: order of texts is order of times.
  expect(created_at < started_at && started_at <= finished_at).toBe(true);
});

test("wait holds the answer until the job has ended, and no longer", async () => {
  const jobId = await alice.execute("[[tokens=10 rate=5]] Two seconds");
  const { status, headers, body } = await alice.get(`/jobs/${jobId}?wait=20`);
  const answeredAt = Date.now();
  expect(status).toBe(200);
  expect(body.status).toBe("completed");
  expect(headers.get("retry-after")).toBeNull();
  expect(answeredAt - Date.parse(body.finished_at)).toBeLessThan(2_000);
});

test("wait gives up when its time is over", async () => {
  const jobId = await alice.execute("[[tokens=1 ttft=60000]] Outlives the wait");
  const askedAt = performance.now();
  const { body, headers } = await alice.get(`/jobs/${jobId}?wait=1`);
  expect(performance.now() - askedAt).toBeGreaterThan(950);
  expect(["queued", "running"]).toContain(body.status);
  expect(headers.get("retry-after")).toBe("1");
  await alice.post(`/jobs/${jobId}/cancel`, {});
  await alice.ended(jobId);
});

test("a job that waits for its retry counts as running, alone and in lists", async () => {
  const jobId = await alice.execute("[[fault=429 retry_after=40]] Refused for now");
  for await (const { data } of (await alice.follow(jobId)).events()) if (data.code === "model_rate_limited") break;
  expect(await job(jobId)).toMatchObject({ status: "running", attempt: 1, queue_position: null });
  await waitFor("the job to wait", () => platform.redis.zscore(`${platform.keys.bullmq}:execute:delayed`, jobId));
  expect(await listed("status=running")).toContain(jobId);
  expect(await listed("status=queued")).not.toContain(jobId);
  await alice.post(`/jobs/${jobId}/cancel`, {});
  await alice.ended(jobId);
});

test("the input of a task reaches the model below the task", async () => {
  const jobId = await alice.execute("[[text=Read]] Sum up the input", { input: { rows: [1, "zwei", null] } });
  await alice.ended(jobId);
  const [call] = await platform.model.calls({ contains: "Sum up the input" });
  const { messages } = await platform.model.call(call?.id ?? 0);
  expect(messages).toHaveLength(1);
  const content = String(messages?.[0]?.content);
  expect(content).toMatch(/^\[\[text=Read\]\] Sum up the input\n/);
  expect(JSON.parse(content.slice(content.indexOf("{")))).toEqual({ rows: [1, "zwei", null] });
});

test("a task in a session becomes part of its history", async () => {
  const chat = await alice.chat({ message: "[[text=Hi]] Hello" });
  await chat.all();
  const jobId = await alice.execute("[[text=Report]] Write it", { session_id: chat.sessionId });
  expect((await alice.ended(jobId)).session_id).toBe(chat.sessionId);
  const { body } = await alice.get(`/chat/history?session_id=${chat.sessionId}`);
  expect(body.messages.map(({ role, content, job_id }: Json) => [role, content, job_id])).toEqual([
    ["user", "[[text=Hi]] Hello", chat.jobId],
    ["assistant", "Hi", chat.jobId],
    ["user", "[[text=Report]] Write it", jobId],
    ["assistant", "Report", jobId],
  ]);
});

test("result and stream of an ended job are there when Redis has forgotten everything", async () => {
  const jobId = await alice.execute("[[text=Kept%20for%20good]] Remember me");
  const before = await alice.ended(jobId);
  const told = await (await alice.follow(jobId)).all();
  await emptyRedis(platform);
  expect(await job(jobId)).toEqual(before);
  const replayed = await (await alice.follow(jobId)).all();
  expect(shownText(replayed)).toBe("Kept for good");
  expect(replayed.at(-1)).toEqual(told.at(-1));
});
