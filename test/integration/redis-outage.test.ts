/**
 * Redis dies, or hangs, and comes back: no job is accepted meanwhile and every request is refused without waiting for
 * Redis, ended jobs stay readable, and all work goes on within ten seconds without a restart of any process (I1, I2).
 *
 * The environment variable OUTAGE_MS sets how long Redis is down in the last tests, ms.
 */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import type { Answer, ApiClient, Json } from "../support/api-client.ts";
import { expectOneDone, expectRisingIds } from "../support/expect-stream.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { shownText } from "../support/sse-client.ts";
import { settledWithin, waitFor } from "../support/wait-for.ts";

let redis: Server;
let platform: TestPlatform;
let alice: ApiClient;
beforeAll(async () => {
  redis = await startPrivateRedis();
  platform = await startTestPlatform({ redisUrl: redis.url, env: { SSE_HEARTBEAT_MS: "500" } });
  ({ alice } = platform);
});
afterAll(async () => {
  await platform.stop();
  await redis.stop();
});

const execute = (task: string) => alice.post("/agents/chat_basic/execute", { task });

/** By default long enough for every Redis client to be in its longest pause between two tries to reconnect. */
const OUTAGE_MS = Number(process.env.OUTAGE_MS ?? 8_000);
/** The documented limit for the first job after an outage. */
const WORKING_AGAIN_WITHIN_MS = 10_000;
/** Far above the second after which the API gives up on Redis, and below the time of a client that waits for Redis. */
const REFUSED_WITHIN_MS = 7_000;

async function expectRefusal(post: () => Promise<Answer<Json>>): Promise<void> {
  const { status, headers, body } = await settledWithin("a refusal", REFUSED_WITHIN_MS, post());
  expect(status).toBe(503);
  expect(body.error).toMatchObject({ code: "queue_unavailable", type: "unavailable_error" });
  expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
}

async function expectWorking(): Promise<void> {
  await waitFor(
    "chats to work again",
    async () => (await alice.chatWhole("[[text=Back]] Are you there?")).status === 200,
  );
  // The API's connections return one by one; lists are read on one of their own.
  await waitFor("lists", async () => (await alice.get("/jobs?status=queued")).status === 200);
  await waitFor("health", async () => (await alice.get("/health")).body.checks.redis.status === "up");
  const jobId = await alice.execute("[[text=Done]] And jobs?");
  expect((await alice.ended(jobId)).result.content).toBe("Done");
}

describe("while Redis is dead", () => {
  let ended: { readonly job: Json; readonly history: Json };
  beforeAll(async () => {
    const { body } = await alice.chatWhole("[[text=Kept]] Before the outage");
    const [job, history] = [`/jobs/${body.job_id}`, `/chat/history?session_id=${body.session_id}`];
    ended = { job: await alice.get(job), history: await alice.get(history) };
    await redis.kill();
  });

  test("new chats and execute jobs are refused", async () => {
    await expectRefusal(() => alice.chatWhole("Refused chat"));
    await expectRefusal(() => execute("Refused task"));
    await expectRefusal(() =>
      alice.post("/chat/completions", {
        agent_type: "chat_basic",
        message: "Refused turn",
        session_id: ended.history.body.session_id,
      }),
    );
  });

  test("every other request that needs Redis is refused", async () => {
    const { session_id } = ended.history.body;
    const unknown = "01a20298-1bff-7650-825d-0907aa114a98";
    await expectRefusal(() => alice.get("/agents"));
    await expectRefusal(() => alice.get(`/jobs/${unknown}?wait=30`));
    await expectRefusal(() => alice.post(`/jobs/${unknown}/cancel`, {}));
    await expectRefusal(() => alice.delete(`/sessions/${session_id}`));
    await expectRefusal(() =>
      alice.post("/agents/chat_basic/execute", { task: "Refused with a key" }, { "Idempotency-Key": "away" }),
    );
  });

  test("health and readiness report down, and liveness reports up", async () => {
    const health = await alice.get("/health");
    expect(health.status).toBe(503);
    expect(health.body).toMatchObject({ status: "down", checks: { redis: { status: "down" } } });
    expect(health.body.checks.database.status).toBe("up");
    expect((await alice.get("/readyz")).status).toBe(503);
    expect((await alice.get("/livez")).status).toBe(200);
  });

  test("ended jobs and history are readable", async () => {
    const { job, history } = ended;
    const again = await Promise.all([
      alice.get(`/jobs/${job.body.id}`),
      alice.get(`/chat/history?session_id=${history.body.session_id}`),
      alice.get(`/sessions/${history.body.session_id}`),
      alice.get("/jobs?status=completed"),
    ]);
    expect(again.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect([again[0].body, again[1].body]).toEqual([job.body, history.body]);
    expect(again[3].body.jobs).toEqual([job.body]);
    const events = await (await alice.follow(job.body.id)).all();
    expect([shownText(events), events.at(-1)?.event]).toEqual(["Kept", "done"]);
  });

  test("jobs are accepted again when Redis is back, and no refused job runs", async () => {
    await redis.start();
    await expectWorking();
    expect(await platform.model.calls({ contains: "Refused" })).toEqual([]);
  });
});

test("streams and waiting requests that are open when Redis dies go on to the end of their job", async () => {
  const message = "[[tokens=60 rate=20]] Answer through the outage";
  const stream = await alice.chat({ message });
  const whole = alice.chatWhole(message);
  const polled = alice.get(`/jobs/${stream.jobId}?wait=30`);
  const events = [];
  for await (const event of stream.events()) {
    events.push(event);
    if (events.length !== 10) continue;
    await redis.kill();
    await redis.start();
  }
  expect(events.map(({ id }) => id)).toEqual(events.map((_, at) => at + 1));
  expect(events.at(-1)).toMatchObject({ event: "done", data: { status: "completed" } });
  const { result, ...job } = await alice.job(stream.jobId);
  expect(job).toMatchObject({ status: "completed", attempt: 1 });
  expect(shownText(events)).toBe(result.content);
  expect(await (await alice.follow(stream.jobId)).all()).toEqual(events);
  expect((await polled).body).toMatchObject({ status: "completed", result });
  expect((await whole).body).toMatchObject({ status: "completed", message: { content: result.content } });
});

test("a cancel reaches the worker when its subscriber connection is cut before and after the cancel", async () => {
  const jobs = await Promise.all(
    ["first", "second"].map((name) => alice.execute(`[[tokens=1 ttft=60000]] The ${name}`)),
  );
  for (const jobId of jobs) {
    await alice.started(jobId);
    await platform.redis.client("KILL", "TYPE", "pubsub");
    await waitFor("the cancel", async () => (await alice.cancel(jobId)).status === 202);
    await platform.redis.client("KILL", "TYPE", "pubsub");
  }
  for (const jobId of jobs) expect(await alice.ended(jobId)).toMatchObject({ status: "cancelled" });
});

test("new jobs are refused while Redis hangs, and no refused job runs afterwards", async () => {
  // The API has just read the agent catalog, so that the requests get as far as the queue.
  await alice.ended(await alice.execute("[[text=Fine]] Before the hang"));
  redis.pause();
  try {
    await expectRefusal(() => execute("Hung task"));
    await expectRefusal(() => alice.chatWhole("Hung chat"));
    expect((await alice.get("/health")).status).toBe(503);
  } finally {
    redis.resume();
  }
  await expectWorking();
  expect(await platform.model.calls({ contains: "Hung" })).toEqual([]);
});

/** Ten running streams and ten execute jobs of which most wait; all are accepted. */
async function acceptWork(label: string) {
  const tokens = Math.ceil(OUTAGE_MS / 100) + 40;
  const streams = await Promise.all(
    Array.from({ length: 10 }, (_, n) => alice.chat({ message: `[[tokens=${tokens} rate=10]] ${label} chat ${n}` })),
  );
  const tasks = await Promise.all(
    Array.from({ length: 10 }, (_, n) => alice.execute(`[[text=Done]] ${label} task ${n}`)),
  );
  return { streams: streams.map((stream) => ({ jobId: stream.jobId, events: stream.all() })), tasks };
}

/** Every accepted job has ended once, and every open stream has each event once and in order. */
async function expectAllEnded({ streams, tasks }: Awaited<ReturnType<typeof acceptWork>>): Promise<void> {
  for (const jobId of tasks) expect(await alice.ended(jobId)).toMatchObject({ status: "completed" });
  for (const { jobId, events } of streams) {
    const received = await events;
    // A start that was lost with its connection leaves a gap in the ids; missing events would show in the text and the
    // log.
    expectRisingIds(received);
    expectOneDone(received, "the stream");
    const job = await alice.ended(jobId);
    expect(shownText(received)).toBe(job.result.content);
    expect(await (await alice.follow(jobId)).all()).toEqual(received);
  }
}

/** A new job is accepted and completes; no process was restarted. */
async function expectWorkingAgain(): Promise<void> {
  const completed = waitFor("a new job to complete", async () => {
    const { status, body } = await execute("[[text=Back]] Again");
    return status === 202 && (await alice.ended(body.job_id)).status === "completed";
  });
  await settledWithin("a new job after the outage", WORKING_AGAIN_WITHIN_MS, completed);
}

const LONG_TEST_MS = 3 * OUTAGE_MS + 60_000;

test("a Redis that is killed for long loses no accepted job and no event of an open stream", {
  timeout: LONG_TEST_MS,
}, async () => {
  const accepted = await acceptWork("Killed");
  await redis.kill();
  const until = performance.now() + OUTAGE_MS;
  while (performance.now() < until) {
    await expectRefusal(() => execute("Refused while killed"));
    await delay(250);
  }
  await redis.start();
  await expectWorkingAgain();
  await expectAllEnded(accepted);
  expect(await platform.model.calls({ contains: "Refused while killed" })).toEqual([]);
});

test("a Redis that is paused for long loses no accepted job and no event of an open stream", {
  timeout: LONG_TEST_MS,
}, async () => {
  const accepted = await acceptWork("Paused");
  redis.pause();
  try {
    for (const until = performance.now() + OUTAGE_MS; performance.now() < until; )
      await expectRefusal(() => execute("Refused while paused"));
  } finally {
    redis.resume();
  }
  await expectWorkingAgain();
  await expectAllEnded(accepted);
  expect(await platform.model.calls({ contains: "Refused while paused" })).toEqual([]);
});

test("connections that are reset again and again lose no accepted job and repeat no event", {
  timeout: LONG_TEST_MS,
}, async () => {
  const accepted = await acceptWork("Reset");
  const alsoAccepted: string[] = [];
  for (let round = 0; round < 10; round++) {
    const posts = Array.from({ length: 5 }, () => execute("[[text=Done]] Reset task"));
    await platform.redis.client("KILL", "TYPE", "normal", "SKIPME", "yes");
    await platform.redis.client("KILL", "TYPE", "pubsub");
    for (const { status, body } of await Promise.all(posts)) {
      expect([202, 503]).toContain(status);
      if (status === 202) alsoAccepted.push(body.job_id);
    }
  }
  await expectWorkingAgain();
  await expectAllEnded({ ...accepted, tasks: [...accepted.tasks, ...alsoAccepted] });
});
