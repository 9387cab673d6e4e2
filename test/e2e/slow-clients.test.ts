/**
 * Clients that stop reading while a job streams or replays megabytes. Proves I9 (no process buffers what they do not
 * read, and they are disconnected after a limit) and I2 (each resumes and has every event once).
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

/** Per job; there are two jobs. */
const CLIENTS = 8;
const STALLED_CLIENT_MS = 2_000;
/** On idle cores it takes less than 10 s, most of it for the megabytes that come before. */
const DISCONNECTED_WITHIN_MS = 120_000;
/** A follower that missed a live batch reads the log again after this time, ms. */
const HEARTBEAT_MS = 500;
/** The API may grow by this share of the bytes that clients did not read: pages of logs that it reads, and noise. */
const GROWTH = 0.6;
/** Redis may send the bytes that a client reads once up to this many times. */
const READ_AGAIN = 3;

/** Used by this platform only, so that the bytes it sends can be counted. */
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
    // The clients read hundreds of megabytes again; a larger window makes that quick.
    SSE_UNREAD_BYTES: String(1_024 * 1_024),
  });
});
afterAll(async () => {
  await platform.stop();
  await redis.stop();
});

const startJob = () => platform.alice.execute("talk", {}, "talkative");

/** Established connections of clients, from /proc (Linux only). */
async function openConnections(): Promise<number> {
  const port = Number(new URL(api.origin).port).toString(16).toUpperCase().padStart(4, "0");
  const sockets = (await readFile("/proc/net/tcp", "utf8")).split("\n");
  return sockets.filter((socket) => new RegExp(`^\\s*\\d+: \\w+:${port} \\w+:\\w+ 01 `).test(socket)).length;
}

async function bytesSentByRedis(): Promise<number> {
  const [, bytes] = /total_net_output_bytes:(\d+)/.exec(await platform.redis.info("stats")) ?? [];
  return Number(bytes);
}

/** The whole events that arrived before the connection broke off. */
async function readUntilCut(stream: SseStream): Promise<SseEvent[]> {
  const events: SseEvent[] = [];
  try {
    for await (const event of stream.events()) events.push(event);
  } catch {
    return events;
  }
  throw new Error("the stream ended in order instead of breaking off");
}

/** How fetch says that the connection broke off. */
const isCutOff = (error: unknown) => error instanceof TypeError && error.message === "terminated";

/** All events behind `after`. On a busy machine this process may read so late that the API cuts it off. */
async function readToEnd(jobId: string, after?: number): Promise<SseEvent[]> {
  const events: SseEvent[] = [];
  for (let isWhole = false; !isWhole; ) {
    const stream = await api.alice.follow(jobId, events.at(-1)?.id ?? after);
    try {
      for await (const event of stream.events()) events.push(event);
      isWhole = true;
    } catch (error) {
      if (!isCutOff(error)) throw error;
    }
  }
  return events;
}

const sizeOf = (events: readonly SseEvent[]) => events.reduce((sum, { data }) => sum + String(data.content).length, 0);

test("Redis sends a long log about once to a client that reads it", async () => {
  const jobId = await startJob();
  await platform.alice.ended(jobId);
  const before = await bytesSentByRedis();
  const events = await (await api.alice.follow(jobId)).all();
  expect((await bytesSentByRedis()) - before).toBeLessThan(READ_AGAIN * sizeOf(events));
});

test("clients that stop reading cost the API little memory, are disconnected, and resume without a gap", async () => {
  const ended = await startJob();
  // One read before the measurement: the process reaches the size that it has while it serves such jobs.
  const whole = await readToEnd(ended);
  const follow = (jobId: string) => Promise.all(Array.from({ length: CLIENTS }, () => api.alice.follow(jobId)));
  const rssBefore = await residentBytes(api.pid);
  const stalled = [...(await follow(await startJob())), ...(await follow(ended))];
  let peak = 0;
  const areGone = async () => {
    peak = Math.max(peak, await residentBytes(api.pid));
    return (await openConnections()) === 0;
  };
  await waitFor("the API to disconnect the clients", areGone, DISCONNECTED_WITHIN_MS);

  let withheld = 0;
  for (const stream of stalled) {
    const arrived = await readUntilCut(stream);
    const rest = await readToEnd(stream.jobId, arrived.at(-1)?.id);
    withheld += sizeOf(rest);
    const events = [...arrived, ...rest];
    expect(events.map(({ id }) => id)).toEqual(whole.map(({ id }) => id));
    expect(events.slice(0, -1)).toEqual(whole.slice(0, -1));
    expect(events.at(-1)).toMatchObject({ event: "done", data: { status: "completed" } });
  }
  expect(peak - rssBefore).toBeLessThan(GROWTH * withheld);
}, 240_000);
