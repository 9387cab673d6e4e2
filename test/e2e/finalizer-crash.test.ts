/**
 * A worker is killed while it finalizes a job that nobody runs: after its claim in Redis, before it has written
 * anything into the job's row. The next finalizer passes the claim, and the job ends once.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { MINUTE } from "@agent-paas/shared/time.ts";
import { expect, onTestFinished, test } from "vitest";
import { readSome } from "../support/background-reader.ts";
import { dropLock, dropOrderLock, loseQueuedJob } from "../support/bullmq.ts";
import { expectOneDone, expectRisingIds } from "../support/expect-stream.ts";
import { ageClaim } from "../support/job-state.ts";
import { startTestPlatform } from "../support/platform.ts";
import { readDatabase } from "../support/platform-state.ts";
import { ROOT } from "../support/sources.ts";

const LONG_ANSWER = "[[tokens=2000 rate=20]] Answer at length";
const ONE_CHAT = { WORKER_CHAT_CONCURRENCY: "1", WORKER_RESERVED_PERCENT: "0" };

async function startPlatform() {
  const platform = await startTestPlatform({ workers: 0, env: ONE_CHAT });
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-finalizer-"));
  onTestFinished(async () => {
    await platform.stop();
    await rm(dir, { recursive: true });
  });
  /** A worker that dies at its first claim of a job that it finalizes; `victim` is that job. */
  async function startMortalWorker() {
    await writeFile(join(dir, "taken_over"), "");
    const { exited } = await platform.startWorker({
      NODE_OPTIONS: `--import ${pathToFileURL(join(ROOT, "test/chaos/crash-at.ts"))}`,
      CHAOS_ARMED: dir,
    });
    const victim = async (): Promise<string> => {
      await exited;
      return JSON.parse(await readFile(join(dir, "crashes.jsonl"), "utf8")).jobId;
    };
    return { victim };
  }
  const rowOf = (jobId: string) =>
    readDatabase(platform, (db) => db("agent_logs").where({ id: jobId }).first("status", "attempts"));
  return { ...platform, platform, startMortalWorker, rowOf };
}

test("a waiting job whose cancellation was claimed by a worker that died ends as cancelled", async () => {
  const { platform, alice, startMortalWorker, rowOf, startWorker } = await startPlatform();
  const { victim } = await startMortalWorker();
  const inFront = await alice.chat({ message: LONG_ANSWER });
  const { whole: answer } = await readSome(inFront);
  const waiting = await alice.chat({ message: "Never to be asked" });
  const reading = waiting.all();
  expect((await alice.cancel(waiting.jobId)).status).toBe(202);
  expect(await victim()).toBe(waiting.jobId);
  expect(await rowOf(waiting.jobId)).toBeUndefined();

  await dropLock(platform, "chat", inFront.jobId);
  await dropOrderLock(platform, `cancel-${waiting.jobId}`);
  await startWorker();
  const events = await reading;
  expectOneDone(events, "the cancelled job", "cancelled");
  expectRisingIds(events);
  expect(await rowOf(waiting.jobId)).toMatchObject({ status: "cancelled" });
  expect(await platform.model.calls({ contains: "Never to be asked" })).toEqual([]);
  await alice.cancel(inFront.jobId);
  expectOneDone(await answer, "the job in front", "cancelled");
}, 90_000);

test("an orphaned job that was claimed by a reaper that died ends as failed", async () => {
  const { platform, alice, startMortalWorker, rowOf, startWorker, workers } = await startPlatform();
  await startWorker();
  const stream = await alice.chat({ message: LONG_ANSWER });
  const { whole } = await readSome(stream);
  await workers[0]?.kill();
  await loseQueuedJob(platform, "chat", stream.jobId);
  await ageClaim(platform, stream.jobId, MINUTE);
  const { victim } = await startMortalWorker();
  expect(await victim()).toBe(stream.jobId);
  expect(await rowOf(stream.jobId)).toMatchObject({ status: "running" });

  await ageClaim(platform, stream.jobId, MINUTE);
  await startWorker();
  const events = await whole;
  expectOneDone(events, "the stream", "failed");
  expectRisingIds(events);
  expect(events.at(-2)).toMatchObject({ event: "error", data: { code: "worker_lost" } });
  expect(await rowOf(stream.jobId)).toMatchObject({ status: "failed" });
}, 90_000);
