/**
 * Repeated requests: an Idempotency-Key joins its job, on every API process, also when an API died between the
 * acceptance of the job and its queueing.
 */
import type { JobKind } from "@agent-paas/shared/contract/jobs.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ApiClient } from "../support/api-client.ts";
import { isQueued, loseQueuedJob } from "../support/bullmq.ts";
import { cancelUnfinished } from "../support/cancel-unfinished.ts";
import { forgetJob } from "../support/job-state.ts";
import { openQueue } from "../support/open-queues.ts";
import type { TestPlatform } from "../support/platform.ts";
import { shownText } from "../support/sse-client.ts";
import { BUSY, startTwoApis, type TwoApis } from "../support/two-apis.ts";
import { waitFor } from "../support/wait-for.ts";

let apis: TwoApis;
let platform: TestPlatform;
/** A client of each API process, with the same key. */
let alice: ApiClient;
let elsewhere: ApiClient;
beforeAll(async () => {
  apis = await startTwoApis();
  ({ platform, alice, elsewhere } = apis);
});
afterEach(() => cancelUnfinished(alice));
afterAll(() => platform.stop());

describe("an Idempotency-Key", () => {
  const execute = (client: ApiClient, key: string, task: string) =>
    client.post("/agents/chat_basic/execute", { task }, { "Idempotency-Key": key });

  test("twenty posts with one key over two API processes make one job", async () => {
    const posts = Array.from({ length: 20 }, (_, at) =>
      execute(at % 2 === 0 ? alice : elsewhere, "twenty-at-once", "[[text=Once]] Only one of us"),
    );
    const answers = await Promise.all(posts);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    const [jobId, ...others] = new Set(answers.map(({ body }) => body.job_id));
    expect(others).toEqual([]);
    expect((await alice.ended(jobId)).result.content).toBe("Once");
    expect(await apis.callsOf("Only one of us")).toHaveLength(1);
  });

  test("a repeated chat joins the stream of the first chat from its start, while it runs and when it has ended", async () => {
    const body = { message: "[[tokens=20 rate=20]] Say it once" };
    const headers = { "Idempotency-Key": "chat-again" };
    const first = await alice.chat(body, headers);
    const live = await elsewhere.chat(body, headers);
    expect([live.jobId, live.sessionId]).toEqual([first.jobId, first.sessionId]);
    const [events, again] = await Promise.all([first.all(), live.all()]);
    expect(events[0]?.id).toBe(1);
    expect(again).toEqual(events);
    expect(await (await elsewhere.chat(body, headers)).all()).toEqual(events);
    expect(await apis.callsOf("Say it once")).toHaveLength(1);
    expect(await alice.history(first.sessionId)).toHaveLength(2);
  });

  test.each(["/chat/completions", "/agents/chat_basic/execute"])(
    "a key that was used for another body on %s is refused",
    async (path) => {
      const headers = { "Idempotency-Key": `reused-${path}` };
      const [text, agent] = path.startsWith("/chat")
        ? ["message", { agent_type: "chat_basic", stream: false }]
        : ["task"];
      const post = (client: ApiClient, content: string) =>
        client.post(path, { ...agent, [text as string]: content }, headers);
      expect((await post(alice, "[[text=Yes]] First body")).body.error).toBeUndefined();
      const refused = await post(elsewhere, "[[text=No]] Second body");
      expect(refused.status).toBe(409);
      expect(refused.body.error).toMatchObject({ code: "idempotency_key_reused", type: "conflict_error" });
      expect(await apis.callsOf("Second body")).toEqual([]);
    },
  );

  test("a key joins its job when the job has left the queue", async () => {
    const task = "[[text=Ran]] Forgotten by the queue";
    const jobId = (await execute(alice, "long-ago", task)).body.job_id;
    const before = await alice.ended(jobId);
    await waitFor("the job to leave the queue", async () => !(await isQueued(platform, "execute", jobId)));
    const again = await execute(elsewhere, "long-ago", task);
    expect([again.status, again.body.job_id]).toEqual([202, jobId]);
    expect(await isQueued(platform, "execute", jobId)).toBe(false);
    expect(await apis.callsOf("Forgotten by the queue")).toHaveLength(1);
    expect(await alice.job(jobId)).toEqual(before);
  });

  test("the stream of an API that died is joined on other APIs, byte for byte", async () => {
    const body = { message: "[[tokens=30 rate=15]] Outlive the API" };
    const headers = { "Idempotency-Key": "over-a-death" };
    const mortal = await platform.startApi();
    const first = await mortal.alice.chat(body, headers);
    for await (const { id } of first.events()) if (id === 5) break;
    await mortal.kill();
    const { alice: successor } = await platform.startApi();
    const post = (client: ApiClient) =>
      client.post("/chat/completions", { agent_type: "chat_basic", ...body }, headers);
    const [live, atAnother] = await Promise.all([post(successor), post(elsewhere)]);
    const replayed = await post(alice);
    expect([live.status, live.headers.get("x-job-id")]).toEqual([200, first.jobId]);
    expect(live.body).toContain("id: 1\n");
    expect([atAnother.body, replayed.body]).toEqual([live.body, live.body]);
    expect(await apis.callsOf("Outlive the API")).toHaveLength(1);
  });

  test("a chat of which Redis has only the key is answered with its text", async () => {
    const body = { message: "[[text=Still%20here]] Forgotten by Redis" };
    const headers = { "Idempotency-Key": "log-expired" };
    const first = await alice.chat(body, headers);
    const events = await first.all();
    const { jobId } = first;
    await loseQueuedJob(platform, "chat", jobId);
    await forgetJob(platform, jobId);
    const again = await elsewhere.chat(body, headers);
    const done = events.at(-1);
    expect([again.jobId, again.sessionId]).toEqual([jobId, first.sessionId]);
    expect(await again.all()).toEqual([
      { id: Number(done?.id) - 1, event: "message", data: { content: "Still here", type: "text" } },
      done,
    ]);
    expect(await apis.callsOf("Forgotten by Redis")).toHaveLength(1);
    expect(await isQueued(platform, "chat", jobId)).toBe(false);
  });

  test.each([
    ["execute", "/agents/chat_basic/execute", { task: "[[text=Ran]] Half accepted task" }],
    ["chat", "/chat/completions", { agent_type: "chat_basic", message: "[[text=Ran]] Half accepted chat" }],
  ] as const)(
    "the %s job that an API recorded before it died is queued by the next request",
    async (kind, path, body) => {
      const post = (client: ApiClient) => client.post(path, body, { "Idempotency-Key": `half-${kind}` });
      const jobId = await recordOnly(kind, () => post(alice));
      expect((await post(elsewhere)).headers.get("x-job-id")).toBe(jobId);
      expect(await alice.ended(jobId)).toMatchObject({ status: "completed", attempt: 1, result: { content: "Ran" } });
      expect((await post(alice)).headers.get("x-job-id")).toBe(jobId);
      expect(await apis.callsOf(`Half accepted ${kind === "chat" ? "chat" : "task"}`)).toHaveLength(1);
    },
  );

  test("the recorded message of a dead API enters its session queue, also when its entry there was removed", async () => {
    const { sessionId } = await apis.startBusyChat("Half accepted: begin");
    const body = {
      agent_type: "chat_basic",
      session_id: sessionId,
      message: "[[tokens=20 rate=20]] Half accepted: first",
    };
    const post = () => alice.post("/chat/completions", body, { "Idempotency-Key": "half-accepted-message" });
    const jobId = await recordOnly("chat", post);
    const queue = platform.keys.sessionQueue(sessionId ?? "");
    // The next message of the session removes a dangling entry that is ten seconds old.
    expect(await platform.redis.lrem(queue, 1, `chat:${jobId}`)).toBe(1);
    await cancelUnfinished(alice);
    await waitFor("the session to be idle", async () => (await platform.redis.exists(queue)) === 0);

    const again = post();
    await alice.started(jobId);
    const next = await alice.chat({ session_id: sessionId, message: "[[text=Next]] Half accepted: second" });
    await Promise.all([again, next.all()]);
    const [, first, second] = await apis.callsOf("Half accepted: ");
    expect([first?.last_user, second?.last_user].map((text) => text?.split(": ")[1])).toEqual(["first", "second"]);
    expect(second?.at_ms).toBeGreaterThanOrEqual(first?.ended_at_ms ?? Infinity);
  });

  test("a message that was accepted before its API died still interrupts the busy session", async () => {
    const first = await alice.chat({ message: "[[text=Hello]] Begin" });
    await first.all();
    const session_id = first.sessionId;
    const urgent = { session_id, message: "[[text=At%20once]] Urgent", on_busy: "interrupt" };
    const headers = { "Idempotency-Key": "half-interrupted" };
    const queue = openQueue(platform, "chat");
    await queue.pause();
    const half = await alice.chat(urgent, headers);
    half.cut();
    const busy = await alice.chat({ session_id, message: `${BUSY} In the way` });
    // The order of acceptance is reversed: the API of the urgent message found nothing to interrupt.
    const sessionQueue = platform.keys.sessionQueue(session_id ?? "");
    await platform.redis.lmove(sessionQueue, sessionQueue, "RIGHT", "LEFT");
    await queue.resume();
    await alice.started(busy.jobId);

    const again = await elsewhere.chat(urgent, headers);
    expect(again.jobId).toBe(half.jobId);
    expect((await busy.all()).at(-1)).toMatchObject({ event: "done", data: { status: "cancelled" } });
    expect(shownText(await again.all())).toBe("At once");
  });

  test("a key expires after the configured time and then makes a new job", async () => {
    const task = "[[text=Ran]] Sent again after a day";
    const jobId = (await execute(alice, "one-day", task)).body.job_id;
    await alice.ended(jobId);
    const record = platform.keys.idempotency("alice", "one-day");
    const ttl = await platform.redis.ttl(record);
    expect(ttl).toBeGreaterThan(86_000);
    expect(ttl).toBeLessThanOrEqual(86_400);
    await platform.redis.pexpire(record, 1);
    await waitFor("the record to expire", async () => (await platform.redis.exists(record)) === 0);
    const again = (await execute(elsewhere, "one-day", task)).body.job_id;
    expect(again).not.toBe(jobId);
    expect(await alice.ended(again)).toMatchObject({ status: "completed" });
  });

  /**
   * The state after a crash between the acceptance of a job and its queueing: the key names a job that no queue has.
   */
  async function recordOnly(kind: JobKind, post: () => Promise<unknown>): Promise<string> {
    const queue = openQueue(platform, kind);
    await queue.pause();
    try {
      const posting = post();
      const job = await waitFor("the job", async () => (await queue.getJobs(["waiting"]))[0]);
      await queue.remove(job.id ?? "");
      // The request of a chat goes on waiting for the end, and is answered like the repeated request.
      void posting;
      return job.id ?? "";
    } finally {
      await queue.resume();
    }
  }
});
