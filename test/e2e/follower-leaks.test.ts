/**
 * Clients that connect and drop, at every moment: before the answer, amid the stream, at its end, on finished jobs.
 * Proves I9 (no channel stays subscribed, one subscriber connection carries all) and I7 (it cancels no job).
 */
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import { inParallel } from "../support/in-parallel.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { type ScriptedQuestion, scriptedQuestion } from "../support/scripted-question.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { waitFor } from "../support/wait-for.ts";

const CONNECTS = 100;
const AT_ONCE = 20;
const JOBS = 10;
const RELEASED_WITHIN_MS = 5_000;

/** Its own: the APIs of other platforms have connections of the same names. */
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

/** Sends a request whole and drops the connection after this time, whatever has come by then. */
async function sendAndDrop(method: string, path: string, body: string, afterMs: number): Promise<void> {
  const { hostname, port } = new URL(platform.alice.origin);
  const socket = connect(Number(port), hostname).resume();
  // The API may reset what was dropped.
  socket.on("error", () => {});
  const head = [
    `${method} /api/v1${path} HTTP/1.1`,
    `Host: ${hostname}`,
    `Authorization: Bearer ${KEYS.alice}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  await new Promise<void>((sent) => socket.write(`${head.join("\r\n")}\r\n\r\n${body}`, () => sent()));
  if (afterMs > 0) await delay(afterMs);
  socket.destroy();
  await once(socket, "close");
}

/** Half of them at once, before an answer; the others up to `latestMs` later. */
const dropMany = (jobs: readonly Job[], latestMs: number) =>
  inParallel(AT_ONCE, Array.from({ length: CONNECTS }), () =>
    sendAndDrop("GET", `/jobs/${random.pick(jobs).jobId}/events`, "", random.int(-latestMs, latestMs)),
  );

/** Channels of job events that anybody subscribes to. */
const jobChannels = async () => (await platform.redis.pubsub("CHANNELS", "*:live:*")) as string[];

async function subscribersOf(jobId: string): Promise<number> {
  const [, count] = (await platform.redis.pubsub("NUMSUB", platform.keys.eventChannel(jobId))) as [string, number];
  return count;
}

/** How many channels each subscriber connection of the API carries. */
async function subscriptionsOfConnections(): Promise<number[]> {
  const clients = (await platform.redis.client("LIST")) as string;
  const ofApi = clients.split("\n").filter((line) => line.includes(" name=api-1:subscriber "));
  return ofApi.map((line) => Number(/ sub=(\d+) /.exec(line)?.[1]));
}

/** The last unsubscribe is under way when the last client has gone: what stays after some seconds stays for ever. */
async function expectNoChannelLeft(): Promise<void> {
  const left = async () => ({ channels: await jobChannels(), subscriptions: await subscriptionsOfConnections() });
  const none = async () => {
    const { channels, subscriptions } = await left();
    return channels.length === 0 && subscriptions.every((count) => count === 0);
  };
  await waitFor("the last unsubscribe", none, RELEASED_WITHIN_MS).catch(async () => {
    expect(await left()).toEqual({ channels: [], subscriptions: [0] });
  });
}

async function expectUndisturbed(jobs: readonly Job[]): Promise<void> {
  for (const { jobId, question } of jobs) {
    const { status, attempt, result } = await platform.alice.ended(jobId);
    const { label, answer: content } = question;
    expect({ status, attempt, result }, label).toEqual({ status: "completed", attempt: 1, result: { content } });
    const calls = await platform.model.calls({ contains: `${label} ` });
    expect(calls.map(({ ended }) => ended)).toEqual(["done"]);
  }
}

test("one connection subscribes once to each job that clients follow, until its last client drops", async () => {
  const jobs = await startJobs("shared", 30);
  const [watched] = jobs as [Job];
  const first = await inParallel(AT_ONCE, jobs, ({ jobId }) => platform.alice.follow(jobId));
  const second = await inParallel(AT_ONCE, jobs, ({ jobId }) => platform.alice.follow(jobId));
  await waitFor("the subscriptions", async () => (await jobChannels()).length === JOBS);
  expect(await subscribersOf(watched.jobId)).toBe(1);
  expect(await subscriptionsOfConnections()).toEqual([JOBS]);

  for (const stream of first) stream.cut();
  const [other] = second;
  for await (const { id } of other?.events() ?? []) if (id > 5) break;
  for (const stream of second.slice(1)) stream.cut();
  await expectNoChannelLeft();
  expect(await subscribersOf(watched.jobId)).toBe(0);
  await expectUndisturbed(jobs);
});

test("100 clients of running jobs drop, and the jobs go on", async () => {
  const jobs = await startJobs("running", 8);
  await dropMany(jobs, 60);
  await expectNoChannelLeft();
  const { body } = await platform.alice.get("/jobs?status=running");
  expect(body.jobs).toHaveLength(JOBS);
  await expectUndisturbed(jobs);
});

test("100 clients drop while jobs end, or soon after", async () => {
  const jobs = await startJobs("ending", 100);
  await dropMany(jobs, 200);
  await expectUndisturbed(jobs);
  await expectNoChannelLeft();
});

test("100 clients of finished jobs drop before or amid the replay", async () => {
  const jobs = await startJobs("finished", 0);
  await expectUndisturbed(jobs);
  await dropMany(jobs, 8);
  await expectNoChannelLeft();
});

test("clients that drop as soon as they have sent a chat cancel nothing", async () => {
  const asked = questions("unheard", 50);
  await inParallel(AT_ONCE, asked, ({ message }) =>
    sendAndDrop("POST", "/chat/completions", JSON.stringify({ agent_type: "chat_basic", message }), 0),
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
