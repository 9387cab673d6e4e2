/**
 * Clients that stop reading while a job says megabytes, or replay them. Proves I9 (what they do not take is kept in no
 * process, and past a bound of time they are dropped) and I2 (each resumes, and has every event once).
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import { type ApiProcess, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { residentBytes } from "../support/process-inspector.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { ROOT } from "../support/sources.ts";
import type { SseEvent, SseStream } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

/** Of each of two jobs. */
const CLIENTS = 8;
const STALLED_CLIENT_MS = 2_000;
/** A look into the log that came too late for a busy machine is repeated so soon, ms. */
const HEARTBEAT_MS = 500;
/** By this share of what is withheld the API may grow: pages of logs that it reads, and noise. */
const GROWTH = 0.6;
/** How often Redis may have to send what a client reads once. */
const READ_AGAIN = 3;

/** Its own, to count what it sends. */
let redis: Server;
let platform: TestPlatform;
let api: ApiProcess;
beforeAll(async () => {
  redis = await startPrivateRedis();
  platform = await startTestPlatform({
    redisUrl: redis.url,
    env: { AGENTS_DIR: join(ROOT, "test/fixtures/talkative") },
  });
  api = await platform.startApi({
    SSE_STALLED_CLIENT_MS: String(STALLED_CLIENT_MS),
    SSE_HEARTBEAT_MS: String(HEARTBEAT_MS),
  });
});
afterAll(async () => {
  await platform.stop();
  await redis.stop();
});

const startJob = () => platform.alice.execute("talk", {}, "talkative");

/** Connections of clients that stand, as the kernel tells (Linux). */
async function openConnections(): Promise<number> {
  const port = Number(new URL(api.origin).port).toString(16).toUpperCase().padStart(4, "0");
  const sockets = (await readFile("/proc/net/tcp", "utf8")).split("\n");
  return sockets.filter((socket) => new RegExp(`^\\s*\\d+: \\w+:${port} \\w+:\\w+ 01 `).test(socket)).length;
}

async function sentByRedis(): Promise<number> {
  const [, bytes] = /total_net_output_bytes:(\d+)/.exec(await platform.redis.info("stats")) ?? [];
  return Number(bytes);
}

/** Whole events only, up to where the connection broke off. */
async function readWhatCame(stream: SseStream): Promise<SseEvent[]> {
  const events: SseEvent[] = [];
  try {
    for await (const event of stream.events()) events.push(event);
  } catch {
    return events;
  }
  throw new Error("the stream ended as if it were whole");
}

const sizeOf = (events: readonly SseEvent[]) => events.reduce((sum, { data }) => sum + String(data.content).length, 0);

test("a client that reads a long log has Redis send it about once", async () => {
  const jobId = await startJob();
  await platform.alice.ended(jobId);
  const before = await sentByRedis();
  const events = await (await api.alice.follow(jobId)).all();
  expect((await sentByRedis()) - before).toBeLessThan(READ_AGAIN * sizeOf(events));
});

test("clients that stop reading cost the API little, are dropped, and resume without a hole", async () => {
  const ended = await startJob();
  // Reading it once brings the process to the size that it has while it serves such jobs.
  const whole = await (await api.alice.follow(ended)).all();
  const follow = (jobId: string) => Promise.all(Array.from({ length: CLIENTS }, () => api.alice.follow(jobId)));
  const rssBefore = await residentBytes(api.pid);
  const stalled = [...(await follow(await startJob())), ...(await follow(ended))];
  let peak = 0;
  await waitFor("the API to drop them", async () => {
    peak = Math.max(peak, await residentBytes(api.pid));
    return (await openConnections()) === 0;
  });

  let withheld = 0;
  for (const stream of stalled) {
    const came = await readWhatCame(stream);
    const rest = await (await api.alice.follow(stream.jobId, came.at(-1)?.id)).all();
    withheld += sizeOf(rest);
    const events = [...came, ...rest];
    expect(events.map(({ id }) => id)).toEqual(whole.map(({ id }) => id));
    expect(events.slice(0, -1)).toEqual(whole.slice(0, -1));
    expect(events.at(-1)).toMatchObject({ event: "done", data: { status: "completed" } });
  }
  expect(peak - rssBefore).toBeLessThan(GROWTH * withheld);
});
