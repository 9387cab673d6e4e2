/**
 * Workers that die or seem to: killed, crashed, stopped for seconds, busy, or without a Redis that takes their
 * heartbeats. Proves that the jobs of a dead worker start again within seconds and once, and nobody else's (I1, I2,
 * I4).
 */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { SECOND } from "@agent-paas/shared/time.ts";
import { afterEach, expect, test } from "vitest";
import type { Child } from "../../scripts/services/child.ts";
import { type BackgroundReader, readSome } from "../support/background-reader.ts";
import { expectNumbered, expectOneDone } from "../support/expect-stream.ts";
import { readJobState } from "../support/job-state.ts";
import { FIXTURE_AGENTS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { ROOT } from "../support/sources.ts";
import { waitFor } from "../support/wait-for.ts";
import { workerOf } from "../support/worker-of.ts";

/** The promise is 6 s for 95 % of the jobs; the rest is for a slow machine. Until locks expire it takes over 15 s. */
const RECOVERED_WITHIN_MS = 10 * SECOND;
/** By its own last word a worker is known as gone a second later, and silence is not waited for. */
const AT_ONCE_MS = 4 * SECOND;
/** Longer than any of the faults below. */
const LONG = "[[tokens=240 rate=15]]";

let platform: TestPlatform;
afterEach(() => platform.stop());

type Chat = BackgroundReader & { readonly jobId: string; readonly worker: Child };

/** Chats that have begun to answer, each with its worker. */
const startChats = (count: number): Promise<Chat[]> =>
  Promise.all(
    Array.from({ length: count }, async (_, at) => {
      const stream = await platform.alice.chat({ message: `${LONG} chat ${at}` });
      const reader = await readSome(stream);
      return { ...reader, jobId: stream.jobId, worker: await workerOf(platform, stream.jobId) };
    }),
  );

const startsOf = ({ seen }: Chat) => 1 + seen.filter(({ data }) => data.type === "retry").length;

const startOver = (chats: readonly Chat[], withinMs = RECOVERED_WITHIN_MS) =>
  Promise.all(chats.map((chat) => waitFor("the second start", () => startsOf(chat) === 2, withinMs)));

/** Every stream is whole, and only those of these chats have started over, once. */
async function expectStartedOver(all: readonly Chat[], startedOver: readonly Chat[]): Promise<void> {
  for (const chat of all) {
    const events = await chat.whole;
    expectNumbered(events, chat.jobId);
    expectOneDone(events, chat.jobId);
    expect(startsOf(chat), chat.jobId).toBe(startedOver.includes(chat) ? 2 : 1);
    const attempt = startedOver.includes(chat) ? 2 : 1;
    expect(await platform.alice.job(chat.jobId)).toMatchObject({ status: "completed", attempt });
  }
}

test("the chats of a killed worker start again within seconds, each once, while three others notice its death", async () => {
  platform = await startTestPlatform({ workers: 4 });
  const chats = await startChats(20);
  const victim = chats[0]?.worker;
  const hit = chats.filter(({ worker }) => worker === victim);
  await victim?.kill();
  await startOver(hit);
  await expectStartedOver(chats, hit);
  expect((await platform.alice.get("/health")).body.checks.workers.live).toBe(3);
});

test("a worker that is stopped for 8 s loses its chats, and goes on without doubling an event", async () => {
  platform = await startTestPlatform({ workers: 2 });
  const chats = await startChats(10);
  const victim = chats[0]?.worker;
  const hit = chats.filter(({ worker }) => worker === victim);
  victim?.signal("SIGSTOP");
  await Promise.all([startOver(hit), delay(8 * SECOND)]);
  victim?.signal("SIGCONT");
  await expectStartedOver(chats, hit);
  await waitFor("both workers to be listed", async () => {
    return (await platform.alice.get("/health")).body.checks.workers.live === 2;
  });
});

test("the chats of a worker whose plugin ends the process start again at once", async () => {
  platform = await startTestPlatform({ workers: 2, env: FIXTURE_AGENTS });
  const chats = await startChats(10);
  const exiting = await platform.alice.execute("exit", {}, "exiting");
  const worker = await waitFor("a worker to end", () =>
    Promise.race([...platform.workers.map((each) => each.exited.then(() => each)), delay(10)]),
  );
  const hit = chats.filter((chat) => chat.worker === worker);
  await startOver(hit, AT_ONCE_MS);
  await expectStartedOver(chats, hit);
  await platform.alice.cancel(exiting);
});

test("the chats of a worker with an uncaught error are requeued before it ends", async () => {
  const preload = pathToFileURL(join(ROOT, "test/fixtures/uncaught-error.ts")).href;
  platform = await startTestPlatform({
    workers: 2,
    env: { NODE_OPTIONS: `--import ${preload}`, SHUTDOWN_GRACE_MS: "500" },
  });
  const chats = await startChats(6);
  const victim = chats[0]?.worker;
  const hit = chats.filter(({ worker }) => worker === victim);
  victim?.signal("SIGUSR2");
  await startOver(hit, AT_ONCE_MS);
  expect((await victim?.exited)?.code).toBe(1);
  await expectStartedOver(chats, hit);
  expect(await readJobState(platform, chats[0]?.jobId ?? "")).toMatchObject({ unfinishedAttempts: 1, attempts: 2 });
});

test("while Redis hangs no worker is declared dead", async () => {
  const redis = await startPrivateRedis();
  try {
    platform = await startTestPlatform({ workers: 3, redisUrl: redis.url });
    const chats = await startChats(6);
    redis.pause();
    await delay(6 * SECOND);
    redis.resume();
    await expectStartedOver(chats, []);
  } finally {
    await platform.stop();
    await redis.stop();
  }
});

test(
  "a plugin that blocks its worker for 18 s loses none of the jobs beside it",
  async () => {
    platform = await startTestPlatform({ workers: 1, env: FIXTURE_AGENTS });
    const chats = await startChats(5);
    const second = await platform.startWorker();
    const blocker = await platform.alice.execute("block", { config: { ms: 18 * SECOND } }, "blocking");
    await expectStartedOver(chats, []);
    expect(await platform.alice.ended(blocker, 60 * SECOND)).toMatchObject({ status: "completed", attempt: 1 });
    await second.stop(20 * SECOND);
  },
  120 * SECOND,
);
