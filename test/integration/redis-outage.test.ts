/**
 * Redis dies, or hangs, and comes back: nothing is accepted meanwhile and every refusal comes within about a second, what
 * has ended stays readable, and everything goes on without a restart of any process (I1, I2).
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import type { Answer, ApiClient, Json } from "../support/api-client.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

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

const chat = (message: string) =>
  alice.post("/chat/completions", { agent_type: "chat_basic", message, stream: false, metadata: {} });
const execute = (task: string) => alice.post("/agents/chat_basic/execute", { task });

async function expectQuickRefusal(post: () => Promise<Answer<Json>>): Promise<void> {
  const askedAt = performance.now();
  const { status, headers, body } = await post();
  expect(performance.now() - askedAt).toBeLessThan(1_500);
  expect(status).toBe(503);
  expect(body.error).toMatchObject({ code: "queue_unavailable", type: "unavailable_error" });
  expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
}

async function expectWorking(): Promise<void> {
  await waitFor("chats to work again", async () => (await chat("[[text=Back]] Are you there?")).status === 200);
  await waitFor("health", async () => (await alice.get("/health")).body.checks.redis.status === "up");
  const jobId = await alice.execute("[[text=Done]] And tasks?");
  expect((await alice.ended(jobId)).result.content).toBe("Done");
}

describe("while Redis is dead", () => {
  let ended: { readonly job: Json; readonly history: Json };
  beforeAll(async () => {
    const { body } = await chat("[[text=Kept]] Before the outage");
    const [job, history] = [`/jobs/${body.job_id}`, `/chat/history?session_id=${body.session_id}`];
    ended = { job: await alice.get(job), history: await alice.get(history) };
    await redis.kill();
  });

  test("new work is refused at once", async () => {
    await expectQuickRefusal(() => chat("Refused chat"));
    await expectQuickRefusal(() => execute("Refused task"));
    await expectQuickRefusal(() =>
      alice.post("/chat/completions", {
        agent_type: "chat_basic",
        message: "Refused turn",
        session_id: ended.history.body.session_id,
      }),
    );
  });

  test("health says down, the process says that it lives", async () => {
    const health = await alice.get("/health");
    expect(health.status).toBe(503);
    expect(health.body).toMatchObject({ status: "down", checks: { redis: { status: "down" } } });
    expect(health.body.checks.database.status).toBe("up");
    expect((await alice.get("/readyz")).status).toBe(503);
    expect((await alice.get("/livez")).status).toBe(200);
  });

  test("ended jobs and history are read as before", async () => {
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

  test("work is taken up again when it is back, and nothing that was refused is done", async () => {
    await redis.start();
    await expectWorking();
    expect(await platform.model.calls({ contains: "Refused" })).toEqual([]);
  });
});

test("a stream that is open when Redis dies goes on where it was, to its end", async () => {
  const stream = await alice.chat({ message: "[[tokens=60 rate=20]] Talk through the outage" });
  const events = [];
  for await (const event of stream.events()) {
    events.push(event);
    if (events.length !== 10) continue;
    await redis.kill();
    await redis.start();
  }
  expect(events.map(({ id }) => id)).toEqual(events.map((_, at) => at + 1));
  expect(events.at(-1)).toMatchObject({ event: "done", data: { status: "completed" } });
  const { body } = await alice.get(`/jobs/${stream.jobId}`);
  expect(body).toMatchObject({ status: "completed", attempt: 1 });
  expect(shownText(events)).toBe(body.result.content);
  expect(await (await alice.follow(stream.jobId)).all()).toEqual(events);
});

test("while Redis hangs new work is refused within a second, and none of it is done afterwards", async () => {
  // The API has just looked who offers the agent, so the requests come as far as the queue.
  await alice.ended(await alice.execute("[[text=Fine]] Before the hang"));
  redis.pause();
  try {
    await expectQuickRefusal(() => execute("Hung task"));
    await expectQuickRefusal(() => chat("Hung chat"));
    expect((await alice.get("/health")).status).toBe(503);
  } finally {
    redis.resume();
  }
  await expectWorking();
  expect(await platform.model.calls({ contains: "Hung" })).toEqual([]);
});
