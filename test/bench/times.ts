/**
 * `npm run times`: prints the delays that a user notices, measured on this machine. Every figure is the platform's own
 * share, without the time of the model; nothing here passes or fails.
 */
import { performance } from "node:perf_hooks";
import { openStorage } from "@agent-paas/shared/db/open-storage.ts";
import type { ApiClient } from "../support/api-client.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { seedSession } from "../support/seed-session.ts";
import { waitFor } from "../support/wait-for.ts";

const ROUNDS = 50;
const BACKLOG = 40;
const JOB_MS = 500;

const now = () => performance.timeOrigin + performance.now();

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(1);
  return `median ${at(0.5)} ms, 95 % ${at(0.95)} ms, most ${at(1)} ms`;
}

const print = (what: string, figure: string) => console.log(`${what.padEnd(72)} ${figure}`);

async function repeat(work: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let round = 0; round < ROUNDS; round++) values.push(await work());
  return values;
}

/** The delay of the first token; the model stamps each token with its send time. */
async function firstTokenLag(alice: ApiClient): Promise<number> {
  const stream = await alice.chat({ message: "[[tokens=3 stamp=1 ttft=20]] hi" });
  for await (const { event, data } of stream.events()) {
    const stamp = event === "message" ? /⟨([\d.]+)⟩/.exec(String(data.content))?.[1] : undefined;
    if (stamp === undefined) continue;
    const lag = now() - Number(stamp);
    stream.cut();
    return lag;
  }
  throw new Error("no stamped token came");
}

async function executeAnswer(alice: ApiClient): Promise<number> {
  const startedAt = now();
  const jobId = await alice.execute("[[tokens=1]] hi");
  const took = now() - startedAt;
  await alice.ended(jobId);
  return took;
}

async function waitLag(alice: ApiClient): Promise<number> {
  const jobId = await alice.execute("[[tokens=2 rate=20]] hi");
  const { body } = await alice.get(`/jobs/${jobId}?wait=20`);
  return now() - Date.parse(body.finished_at);
}

async function cancelToUpstreamClosed({ alice, model }: TestPlatform, round: number): Promise<number> {
  const mark = `cancel-${round}`;
  const stream = await alice.chat({ message: `[[tokens=1000 rate=50]] ${mark}` });
  for await (const { event } of stream.events()) if (event === "message") break;
  const cancelledAt = now();
  await alice.post(`/jobs/${stream.jobId}/cancel`, {});
  const call = await waitFor("the upstream request to close", async () => {
    const [found] = await model.calls({ contains: mark });
    return found?.ended === "client_closed" && found;
  });
  return (call.ended_at_ms ?? now()) - cancelledAt;
}

/** From the end of a chat to the start of the next chat of its session, both as their clients see them. */
async function sessionQueueDelay(alice: ApiClient): Promise<number> {
  const first = await alice.chat({ message: "[[tokens=5 rate=50]] first" });
  const second = await alice.chat({ session_id: first.sessionId, message: "[[tokens=1]] second" });
  const endsAt = first.all().then(now);
  for await (const { data } of second.events()) {
    if (data.type !== "status") continue;
    const beganAt = now();
    second.cut();
    return beganAt - (await endsAt);
  }
  throw new Error("the second chat did not begin");
}

async function backlogTime({ alice }: TestPlatform): Promise<number> {
  const startedAt = now();
  const jobIds = await Promise.all(
    Array.from({ length: BACKLOG }, () => alice.execute(`[[tokens=10 rate=${10_000 / JOB_MS}]] hi`)),
  );
  await Promise.all(jobIds.map((jobId) => alice.ended(jobId, 120_000)));
  return now() - startedAt;
}

/** Chats in a session of 50 messages and in one of 10,000, alternating so that both see the same machine. */
async function turnTimes({ alice, databaseFile }: TestPlatform): Promise<{ short: number[]; long: number[] }> {
  const storage = openStorage(databaseFile);
  const sessions = { short: await seedSession(storage, "alice", 25), long: await seedSession(storage, "alice", 5_000) };
  await storage.close();
  const turn = async (session_id: string) => {
    const startedAt = now();
    await (await alice.chat({ session_id, message: "[[tokens=1]] hi" })).all();
    return now() - startedAt;
  };
  await turn(sessions.long);
  const times = { short: [] as number[], long: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    times.short.push(await turn(sessions.short));
    times.long.push(await turn(sessions.long));
  }
  return times;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const redis = await startPrivateRedis();
try {
  const platform = await startTestPlatform({
    modelApart: true,
    workers: 2,
    redisUrl: redis.url,
    env: { LOG_LEVEL: "info" },
  });
  try {
    await firstTokenLag(platform.alice);
    print(
      "first token at the client after the model sent it",
      spread(await repeat(() => firstTokenLag(platform.alice))),
    );
    print("POST execute answered with 202", spread(await repeat(() => executeAnswer(platform.alice))));
    print("GET job?wait=20 answered after the job's end", spread(await repeat(() => waitLag(platform.alice))));
    let round = 0;
    print(
      "upstream request closed after POST cancel",
      spread(await repeat(() => cancelToUpstreamClosed(platform, round++))),
    );
    print(
      "the next message of a session begins after the end of the former",
      spread(await repeat(() => sessionQueueDelay(platform.alice))),
    );
    const turns = await turnTimes(platform);
    print("a turn in a session of 50 messages", spread(turns.short));
    print("a turn in a session of 10,000 messages", spread(turns.long));
    print("… the second to the first, by their medians", (median(turns.long) / median(turns.short)).toFixed(2));
  } finally {
    await platform.stop();
  }
  for (const workers of [1, 2, 4]) {
    const scaled = await startTestPlatform({
      modelApart: true,
      workers,
      redisUrl: redis.url,
      env: { WORKER_EXECUTE_CONCURRENCY: "2" },
    });
    try {
      const seconds = (await backlogTime(scaled)) / 1_000;
      print(
        `${BACKLOG} jobs of ${JOB_MS} ms, two at a time per worker, ${workers} worker(s)`,
        `${seconds.toFixed(1)} s`,
      );
    } finally {
      await scaled.stop();
    }
  }
} finally {
  await redis.stop();
}
