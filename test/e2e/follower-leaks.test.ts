/**
 * Clients that connect and disconnect at every moment and in every way. Proves I9 (no channel stays subscribed, one
 * subscriber connection serves all clients, and no descriptor, timer, listener or memory is left) and I7 (no disconnect
 * cancels a job).
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import { inParallel } from "../support/in-parallel.ts";
import { type ApiProcess, KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { inspectable } from "../support/process-inspector.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { type ScriptedQuestion, scriptedQuestion } from "../support/scripted-question.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { waitFor } from "../support/wait-for.ts";

const CLIENTS = 4_000;
const CLIENTS_AT_ONCE = 100;
const WARMING_UP = 500;
/** An inspection collects the garbage several times, which takes seconds on a busy machine. */
const INSPECTED_WITHIN_MS = 60_000;
/** Smaller than anything that a client could leave in the heap. */
const HEAP_BYTES_PER_CLIENT = 500;
/** Resident memory after all clients, as a multiple of that after half of them. */
const RSS_NOISE = 1.15;
const AT_ONCE = 20;
const JOBS = 10;
const RELEASED_WITHIN_MS = 5_000;

/** Used by this platform only, because other platforms name their connections alike. */
let redis: Server;
let platform: TestPlatform;
beforeAll(async () => {
  redis = await startPrivateRedis();
  platform = await startTestPlatform({ redisUrl: redis.url });
});
afterAll(async () => {
  await platform.stop();
  await redis.stop();
});

type Job = { readonly jobId: string; readonly question: ScriptedQuestion };

const random = seededRandom(4);

const questions = (label: string, rate: number): ScriptedQuestion[] =>
  Array.from({ length: JOBS }, (_, at) => scriptedQuestion(`${label}-${at}`, random, { words: 20, rate }));

const startJobs = (label: string, rate: number): Promise<Job[]> =>
  inParallel(AT_ONCE, questions(label, rate), async (question) => ({
    jobId: await platform.alice.execute(question.message),
    question,
  }));

const executeMany = (task: string): Promise<string[]> =>
  inParallel(AT_ONCE, Array.from({ length: JOBS }), () => platform.alice.execute(task));

type Request = { readonly method: "GET" | "POST"; readonly path: string; readonly body?: object };

type Visit = {
  /** How much of the request is sent. */
  readonly sends: "half" | "whole";
  /** The client leaves after so many pieces of the answer, or after `patienceMs`. */
  readonly pieces: number;
  readonly patienceMs: number;
  /** Whether the client reads on after the first piece; unread bytes make the kernel reset the connection. */
  readonly reads: boolean;
  readonly leaves: "closes" | "resets" | "half-closes";
};

const GONE_AT_ONCE: Visit = { sends: "whole", pieces: 0, patienceMs: 0, reads: true, leaves: "closes" };

const randomVisit = (): Visit => ({
  sends: random.int(1, 20) === 1 ? "half" : "whole",
  pieces: random.int(0, 4),
  patienceMs: random.pick([0, 5, 20, 50]),
  reads: random.int(1, 4) > 1,
  leaves: random.pick(["closes", "resets", "half-closes"]),
});

function textOf({ method, path, body }: Request, host: string): string {
  const content = body === undefined ? "" : JSON.stringify(body);
  const head = [
    `${method} /api/v1${path} HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: Bearer ${KEYS.alice}`,
    `Content-Length: ${Buffer.byteLength(content)}`,
  ];
  return `${head.join("\r\n")}\r\n\r\n${content}`;
}

/** Rejects when the client leaves. */
async function readPieces(socket: Socket, { pieces, reads }: Visit, signal: AbortSignal): Promise<void> {
  for (let piece = 0; piece < pieces; piece++) {
    await once(socket, "data", { signal });
    if (!reads) socket.pause();
  }
}

async function visit(api: ApiProcess, request: Request, how: Visit): Promise<void> {
  const { hostname, port } = new URL(api.origin);
  const socket = connect(Number(port), hostname).resume();
  // The API may reset a connection that the client has dropped.
  socket.on("error", () => {});
  const closed = once(socket, "close");
  const text = textOf(request, hostname);
  const sent = how.sends === "half" ? text.slice(0, text.length / 2) : text;
  await Promise.race([new Promise<void>((resolve) => socket.write(sent, () => resolve())), closed]);
  const left = new AbortController();
  if (how.patienceMs > 0 && how.pieces > 0) {
    await Promise.race([readPieces(socket, how, left.signal).catch(() => {}), delay(how.patienceMs), closed]);
  }
  left.abort();
  if (how.leaves === "closes") socket.destroy();
  else if (how.leaves === "resets") socket.resetAndDestroy();
  else socket.resume().end();
  await closed;
}

/** Channels of job events that have a subscriber. */
const jobChannels = async () => (await platform.redis.pubsub("CHANNELS", "*:live:*")) as string[];

async function subscribersOf(jobId: string): Promise<number> {
  const [, count] = (await platform.redis.pubsub("NUMSUB", platform.keys.eventChannel(jobId))) as [string, number];
  return count;
}

/** The names of Redis' connections, each with how many channels it carries. */
async function redisConnections(): Promise<string[]> {
  const clients = (await platform.redis.client("LIST")) as string;
  const named = [...clients.matchAll(/ name=(\S+) .* sub=(\d+) /g)];
  return named.map(([, name, channels]) => `${name} ${channels}`).sort();
}

const subscriptionsOfApi = async () =>
  (await redisConnections()).filter((connection) => connection.startsWith("api-1:subscriber "));

/** The API unsubscribes shortly after the last client has left. */
async function expectNoChannelLeft(): Promise<void> {
  const left = async () => ({ channels: await jobChannels(), subscriptions: await subscriptionsOfApi() });
  const none = { channels: [], subscriptions: ["api-1:subscriber 0"] };
  const released = async () => JSON.stringify(await left()) === JSON.stringify(none);
  await waitFor("the last unsubscribe", released, RELEASED_WITHIN_MS).catch(async () => {
    expect(await left()).toEqual(none);
  });
}

async function expectUndisturbed(jobs: readonly Job[]): Promise<void> {
  for (const { jobId, question } of jobs) {
    const { status, attempt, result } = await platform.alice.ended(jobId);
    const { label, answer: content } = question;
    expect({ status, attempt, result }, label).toEqual({
      status: "completed",
      attempt: 1,
      result: { content, finish_reason: "stop" },
    });
    const calls = await platform.model.calls({ contains: `${label} ` });
    expect(calls.map(({ ended }) => ended)).toEqual(["done"]);
  }
}

const firstApi = () => platform.apis[0] as ApiProcess;

test("a single connection subscribes once to each followed job, until the last client of the job disconnects", async () => {
  const jobs = await startJobs("shared", 30);
  const [watched] = jobs as [Job];
  const first = await inParallel(AT_ONCE, jobs, ({ jobId }) => platform.alice.follow(jobId));
  const second = await inParallel(AT_ONCE, jobs, ({ jobId }) => platform.alice.follow(jobId));
  await waitFor("the subscriptions", async () => (await jobChannels()).length === JOBS);
  expect(await subscribersOf(watched.jobId)).toBe(1);
  expect(await subscriptionsOfApi()).toEqual([`api-1:subscriber ${JOBS}`]);

  for (const stream of first) stream.cut();
  const [other] = second;
  for await (const { id } of other?.events() ?? []) if (id > 5) break;
  for (const stream of second.slice(1)) stream.cut();
  await expectNoChannelLeft();
  expect(await subscribersOf(watched.jobId)).toBe(0);
  await expectUndisturbed(jobs);
});

test("clients that disconnect while jobs end, or soon after, change nothing about the jobs", async () => {
  const jobs = await startJobs("ending", 100);
  await inParallel(AT_ONCE, Array.from({ length: 200 }), () =>
    visit(firstApi(), { method: "GET", path: `/jobs/${random.pick(jobs).jobId}/events` }, randomVisit()),
  );
  await expectUndisturbed(jobs);
  await expectNoChannelLeft();
});

test("clients that disconnect right after they have sent a chat cancel nothing", async () => {
  const asked = questions("unheard", 50);
  await inParallel(AT_ONCE, asked, ({ message }) =>
    visit(
      firstApi(),
      { method: "POST", path: "/chat/completions", body: { agent_type: "chat_basic", message } },
      GONE_AT_ONCE,
    ),
  );
  const accepted = await waitFor("the chats", async (): Promise<string[] | false> => {
    const { body } = await platform.alice.get("/jobs?kind=chat");
    return body.jobs.length === JOBS && body.jobs.map(({ id }: { id: string }) => id);
  });
  for (const jobId of accepted) expect(await platform.alice.ended(jobId)).toMatchObject({ status: "completed" });
  const calls = await platform.model.calls({ contains: "unheard-" });
  expect(calls.map(({ ended }) => ended)).toEqual(asked.map(() => "done"));
  await expectNoChannelLeft();
});

test("thousands of clients that connect and disconnect leave nothing in the API", { timeout: 180_000 }, async () => {
  const { env, inspect } = await inspectable();
  const api = await platform.startApi(env);
  const inspector = await inspect(api.pid);
  onTestFinished(() => inspector.close());
  const [running, ended] = await Promise.all([
    executeMany("[[tokens=30000 rate=20]] endless"),
    executeMany("[[tokens=500]] ended"),
  ]);
  for (const jobId of ended) await platform.alice.ended(jobId);

  const chat = (stream: boolean): Request => ({
    method: "POST",
    path: "/chat/completions",
    body: { agent_type: "chat_basic", message: "[[text=Unread]] vanishing", stream },
  });
  const randomRequest = (): Request => {
    const kind = random.int(1, 100);
    if (kind <= 2) return chat(kind === 1);
    if (kind <= 50) return { method: "GET", path: `/jobs/${random.pick(running)}/events` };
    if (kind <= 60) return { method: "GET", path: `/jobs/${random.pick(running)}/events?after=10` };
    if (kind <= 80) return { method: "GET", path: `/jobs/${random.pick(ended)}/events` };
    return { method: "GET", path: `/jobs/${random.pick(running)}?wait=60` };
  };
  const visitors = (count: number) =>
    inParallel(CLIENTS_AT_ONCE, Array.from({ length: count }), () => visit(api, randomRequest(), randomVisit()));
  const holdings = async () => ({ channels: (await jobChannels()).length, ...(await inspector.holdings()) });
  type Holdings = Awaited<ReturnType<typeof holdings>>;
  const noMoreThan = (most: Holdings, now: Holdings) =>
    (Object.keys(most) as (keyof Holdings)[]).every((what) => now[what] <= most[what]);

  // The first visitors cause what is allocated once per process.
  await visitors(WARMING_UP);
  let base = await holdings();
  await waitFor(
    "the counts to be stable",
    async () => {
      const before = base;
      base = await holdings();
      return isDeepStrictEqual(base, before);
    },
    INSPECTED_WITHIN_MS,
  );
  expect(base.channels).toBe(0);
  const connections = await redisConnections();

  await visitors(CLIENTS / 2);
  const halfway = await inspector.memory();
  await visitors(CLIENTS / 2);
  const left = await waitFor(
    "the API to release everything",
    async () => {
      const now = await holdings();
      return noMoreThan(base, now) && now;
    },
    INSPECTED_WITHIN_MS,
  ).catch(holdings);
  const memory = await inspector.memory();
  expect(noMoreThan(base, left), `left: ${JSON.stringify(left)}, before: ${JSON.stringify(base)}`).toBe(true);
  expect(await redisConnections()).toEqual(connections);
  expect(memory.heapBytes - halfway.heapBytes).toBeLessThan((CLIENTS / 2) * HEAP_BYTES_PER_CLIENT);
  expect(memory.rssBytes / halfway.rssBytes).toBeLessThan(RSS_NOISE);

  for (const jobId of running) {
    expect(await platform.alice.job(jobId)).toMatchObject({ status: "running", attempt: 1 });
    await platform.alice.cancel(jobId);
  }
});
