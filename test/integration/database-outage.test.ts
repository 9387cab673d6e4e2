/**
 * A database that cannot be written, because its disk is full or another process holds its lock: accepted jobs wait
 * without using up a retry, new ones are refused, and nothing that was accepted is lost.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { holdDatabase } from "../support/database-lock.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { canMount, mountSmallDisk } from "../support/small-disk.ts";
import type { SseStream } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

const endOf = async (stream: SseStream) => {
  const events = await stream.all();
  const [error, done] = events.slice(-2);
  return { status: done?.data.status, code: error?.event === "error" ? error.data.code : null };
};

const refused = ({ alice }: TestPlatform) =>
  waitFor("readiness to say that nobody can write", async () => (await alice.get("/readyz")).status === 503);

const accepting = ({ alice }: TestPlatform) =>
  waitFor("readiness to say that workers can write", async () => (await alice.get("/readyz")).status === 200);

/** What takes the database away and brings it back. The disk needs a mount; the lock is there on every machine. */
const outages = [
  {
    kind: "database is locked",
    async prepare() {
      const dir = await mkdtemp(join(tmpdir(), "agent-paas-locked-"));
      onTestFinished(() => rm(dir, { recursive: true }));
      let release = async () => {};
      const begin = async () => {
        release = await holdDatabase(join(dir, "agent-paas.db"), "exclusive");
      };
      return { dir, begin, end: () => release() };
    },
  },
  ...(canMount
    ? [
        {
          kind: "disk is full",
          async prepare() {
            const disk = await mountSmallDisk(4);
            return { dir: disk.dir, begin: () => disk.fill(), end: () => disk.free() };
          },
        },
      ]
    : []),
];

test.each(outages)(
  "jobs that are accepted while the $kind all complete once it is over",
  async ({ prepare }) => {
    const outage = await prepare();
    const platform = await startTestPlatform({ workers: 2, env: { DATABASE_URL: join(outage.dir, "agent-paas.db") } });
    onTestFinished(() => platform.stop());
    const { alice } = platform;
    const before = await alice.chatWhole("[[text=Done]] before", {}, { "Idempotency-Key": "before" });
    await outage.begin();
    const streams = await Promise.all(
      Array.from({ length: 20 }, (_, at) => alice.chat({ message: `[[text=Done]] ${at}` })),
    );
    await refused(platform);

    const { status, body } = await alice.get("/health");
    expect(status).toBe(503);
    expect(body).toMatchObject({ status: "down", checks: { database: { status: "down" }, redis: { status: "up" } } });
    const refusal = await alice.chatWhole("too late");
    expect(refusal.status).toBe(503);
    expect(refusal.body.error).toMatchObject({ code: "database_unavailable", type: "unavailable_error" });
    expect(Number(refusal.headers.get("retry-after"))).toBeGreaterThan(0);
    const execute = await alice.post("/agents/chat_basic/execute", { task: "too late" });
    expect(execute.body.error.code).toBe("database_unavailable");
    // What was accepted before is read, and a repeated request finds its job.
    expect((await alice.job(before.body.job_id)).status).toBe("completed");
    const repeated = await alice.chatWhole("[[text=Done]] before", {}, { "Idempotency-Key": "before" });
    expect(repeated.body.job_id).toBe(before.body.job_id);

    // A worker that starts has nothing to migrate, so it need not write.
    await platform.startWorker();

    await outage.end();
    expect(await Promise.all(streams.map(endOf))).toEqual(streams.map(() => ({ status: "completed", code: null })));
    await accepting(platform);
    expect((await alice.chatWhole("[[text=Done]] after")).status).toBe(200);
  },
  120_000,
);

test("jobs that wait for the database beyond the bound end as storage_unavailable on their streams", async () => {
  const bound = 2_000;
  const platform = await startTestPlatform({ env: { STORAGE_OUTAGE_MS: String(bound) } });
  onTestFinished(() => platform.stop());
  const { alice } = platform;
  const running = await Promise.all(
    Array.from({ length: 5 }, (_, at) => alice.chat({ message: `[[tokens=40 rate=20]] ${at}` })),
  );
  await Promise.all(running.map(({ jobId }) => alice.started(jobId)));
  const release = await holdDatabase(platform.databaseFile, "exclusive");
  const waiting = await Promise.all(
    Array.from({ length: 20 }, (_, at) => alice.chat({ message: `[[text=Done]] ${at}` })),
  );
  await refused(platform);
  const refusedAt = performance.now();
  await waitFor("twice the bound to pass", () => performance.now() > refusedAt + 2 * bound);
  await release();
  const ends = await Promise.all([...running, ...waiting].map(endOf));
  expect(ends.slice(running.length)).toEqual(waiting.map(() => ({ status: "failed", code: "storage_unavailable" })));
  for (const end of ends.slice(0, running.length)) expect(["completed", "failed"]).toContain(end.status);
  await accepting(platform);
  expect((await alice.chatWhole("[[text=Done]] after")).status).toBe(200);
}, 120_000);

test("a worker that stops during an outage gives its jobs back, and they complete elsewhere", async () => {
  const platform = await startTestPlatform();
  onTestFinished(() => platform.stop());
  const { alice, workers } = platform;
  const release = await holdDatabase(platform.databaseFile, "exclusive");
  const streams = await Promise.all(
    Array.from({ length: 5 }, (_, at) => alice.chat({ message: `[[text=Done]] ${at}` })),
  );
  await refused(platform);
  await workers[0]?.stop(15_000);
  await release();
  await platform.startWorker();
  expect(await Promise.all(streams.map(endOf))).toEqual(streams.map(() => ({ status: "completed", code: null })));
}, 120_000);
