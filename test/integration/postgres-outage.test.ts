/**
 * A PostgreSQL that crashes, restarts and stays away: accepted jobs wait without using up a retry, nothing is lost or
 * doubled, and jobs end with `storage_unavailable` only beyond the stated bound.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openStorage } from "@agent-paas/shared/db/open-storage.ts";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { migrate } from "../../apps/worker/src/storage/migrate.ts";
import { collectionRow } from "../contract/storage-parts.ts";
import { expectWholeStream } from "../support/expect-stream.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { readDatabase } from "../support/platform-state.ts";
import { type PostgresServer, queryOn, startPostgres } from "../support/postgres.ts";
import type { SseStream } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

let server: PostgresServer;
/** Makes the server a standby when it starts next. */
let makeStandby: () => Promise<void>;
beforeEach(async () => {
  server = await startPostgres({
    async prepare(dataDir, giveAway) {
      makeStandby = async () => {
        const file = join(dataDir, "standby.signal");
        await writeFile(file, "");
        giveAway(file);
      };
    },
  });
});
afterEach(() => server.stop());

const endOf = async (stream: SseStream) => {
  const events = await stream.all();
  const [error, done] = events.slice(-2);
  return { status: done?.data.status, code: error?.event === "error" ? error.data.code : null };
};

const refused = ({ alice }: TestPlatform) =>
  waitFor("readiness to say that nobody can write", async () => (await alice.get("/readyz")).status === 503);

const accepting = ({ alice }: TestPlatform) =>
  waitFor("readiness to say that workers can write", async () => (await alice.get("/readyz")).status === 200);

async function startPlatform(env: NodeJS.ProcessEnv = {}, workers = 2): Promise<TestPlatform> {
  const platform = await startTestPlatform({ databaseUrl: server.url, workers, env });
  onTestFinished(() => platform.stop());
  return platform;
}

test("chats and tasks under load lose and double nothing while the server crashes again and again", async () => {
  const platform = await startPlatform();
  const { alice } = platform;
  const sessions = await Promise.all(
    Array.from({ length: 4 }, (_, at) => alice.chatWhole(`[[text=Hi]] Session ${at}`)),
  );
  const sessionIds = sessions.map(({ body }) => body.session_id);
  let isOver = false;
  const crashing = (async () => {
    for (let crashes = 0; crashes < 5; crashes++) {
      await server.crash();
      await server.start();
      const before = await readDatabase(platform, (table) => table("agent_logs").pluck("id"));
      // The next crash meets other moments of the jobs.
      await waitFor("further rows", async () => {
        const rows = await readDatabase(platform, (table) => table("agent_logs").pluck("id"));
        return isOver || rows.length > before.length;
      });
    }
  })();
  const [chats, tasks] = await Promise.all([
    Promise.all(
      Array.from({ length: 60 }, async (_, at) => {
        const session_id = sessionIds[at % sessionIds.length];
        const post = () => alice.chat({ message: `[[tokens=20 rate=40]] Chat ${at}`, session_id });
        // While the database is away, new jobs are refused; a client repeats its request.
        const stream = await waitFor("an accepted chat", () => post().catch(() => false as const));
        return { jobId: stream.jobId, events: await stream.all() };
      }),
    ),
    Promise.all(
      Array.from({ length: 30 }, (_, at) =>
        waitFor("an accepted task", () =>
          alice.execute(`[[tokens=20 rate=40]] Task ${at}`).catch(() => false as const),
        ),
      ),
    ),
  ]);
  isOver = true;
  await crashing;
  for (const { jobId, events } of chats) {
    const job = await alice.ended(jobId);
    expect(job).toMatchObject({ status: "completed", attempt: 1 });
    expectWholeStream(events, job.result.content, jobId);
  }
  for (const jobId of tasks) expect(await alice.ended(jobId)).toMatchObject({ status: "completed", attempt: 1 });
  const rows = await readDatabase(platform, async (table) => ({
    jobs: await table("agent_logs").orderBy("id").pluck("id"),
    questions: await table("messages").where({ role: "user" }).orderBy("job_id").pluck("job_id"),
    answers: await table("messages").where({ role: "assistant" }).orderBy("job_id").pluck("job_id"),
    ordinals: await table("messages")
      .select("session_id")
      .max("ordinal as last")
      .count("* as messages")
      .groupBy("session_id"),
  }));
  const chatIds = [...chats.map(({ jobId }) => jobId), ...sessions.map(({ body }) => body.job_id)].sort();
  expect(rows.jobs).toEqual([...chatIds, ...tasks].sort());
  expect([rows.questions, rows.answers]).toEqual([chatIds, chatIds]);
  for (const { last, messages } of rows.ordinals as unknown as { last: number; messages: number }[]) {
    expect(last).toBe(messages);
  }
}, 180_000);

test("jobs that are accepted while the server is away all complete once it is back", async () => {
  const platform = await startPlatform();
  const { alice } = platform;
  const before = await alice.chatWhole("[[text=Done]] before");
  await server.crash();
  const streams = await Promise.all(
    Array.from({ length: 20 }, (_, at) => alice.chat({ message: `[[text=Done]] ${at}` })),
  );
  await refused(platform);
  const { status, body } = await alice.get("/health");
  expect(status).toBe(503);
  expect(body).toMatchObject({ status: "down", checks: { database: { status: "down" }, redis: { status: "up" } } });
  const refusal = await alice.chatWhole("too late");
  expect(refusal.body.error).toMatchObject({ code: "database_unavailable", type: "unavailable_error" });
  await server.start();
  expect(await Promise.all(streams.map(endOf))).toEqual(streams.map(() => ({ status: "completed", code: null })));
  await accepting(platform);
  expect((await alice.job(before.body.job_id)).status).toBe("completed");
  expect((await alice.chatWhole("[[text=Done]] after")).status).toBe(200);
}, 120_000);

test("jobs that wait for the server beyond the bound end as storage_unavailable on their streams", async () => {
  const bound = 2_000;
  const platform = await startPlatform({ STORAGE_OUTAGE_MS: String(bound) }, 1);
  const { alice } = platform;
  await alice.chatWhole("[[text=Done]] before");
  await server.crash();
  const waiting = await Promise.all(
    Array.from({ length: 10 }, (_, at) => alice.chat({ message: `[[text=Done]] ${at}` })),
  );
  await refused(platform);
  const refusedAt = performance.now();
  await waitFor("twice the bound to pass", () => performance.now() > refusedAt + 2 * bound);
  await server.start();
  const ends = await Promise.all(waiting.map(endOf));
  expect(ends).toEqual(waiting.map(() => ({ status: "failed", code: "storage_unavailable" })));
  await accepting(platform);
  expect((await alice.chatWhole("[[text=Done]] after")).status).toBe(200);
}, 120_000);

test("a server that is a read-only standby for a while is read, and its writes wait until it is promoted", async () => {
  const storage = openStorage(server.url, 60_000);
  onTestFinished(() => storage.close());
  await migrate(storage);
  const id = await storage.installation();
  await server.crash();
  await makeStandby();
  await server.start();
  expect(await storage.installation()).toBe(id);
  const write = storage.write([{ query: storage.table("collections").insert(collectionRow()) }]);
  await waitFor("the storage to say that it cannot write", () => !storage.canWrite());
  await queryOn(server.url, "select pg_promote()");
  expect(await write).toBe(true);
  expect(storage.canWrite()).toBe(true);
  expect(await storage.table("collections")).toHaveLength(1);
});
