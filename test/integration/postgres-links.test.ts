/**
 * Links to PostgreSQL that lose an answer, fall silent or are too many: no write is lost, doubled or wrongly reported,
 * and a silent connection is replaced within ten seconds, while a statement that takes long is waited for.
 */
import { openReadStorage, openStorage } from "@agent-paas/shared/db/open-storage.ts";
import type { Storage } from "@agent-paas/shared/db/storage.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { createJobRepository } from "../../apps/worker/src/storage/job-repository.ts";
import { createJournalRepository } from "../../apps/worker/src/storage/journal-repository.ts";
import { createKnowledgeRepository } from "../../apps/worker/src/storage/knowledge-repository.ts";
import { migrate } from "../../apps/worker/src/storage/migrate.ts";
import { createOrphanedJobRepository } from "../../apps/worker/src/storage/orphaned-job-repository.ts";
import { jobEnd } from "../support/job-end.ts";
import { jobPayload } from "../support/job-payload.ts";
import { createDatabase, queryOn } from "../support/postgres.ts";
import { sharedPostgres } from "../support/shared-postgres.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { settledWithin, waitFor } from "../support/wait-for.ts";

/** The documented limit for the replacement of a silent connection. */
const REPLACED_WITHIN_MS = 10_000;

let url: string;
let link: TcpProxy;
/** Behind the link. */
let storage: Storage;
/** Beside it. */
let direct: Storage;
beforeEach(async () => {
  const database = await createDatabase(await sharedPostgres());
  url = database.url;
  link = await startTcpProxy(url);
  [storage, direct] = [openStorage(link.url, 60_000), openStorage(url)];
  onTestFinished(async () => {
    await Promise.all([storage.close(), direct.close()]);
    await link.close();
    await database.drop();
  });
  await migrate(storage);
});

const payloadIn = (session_id: string) => jobPayload({ kind: "chat", session_id, owner: "alice" });

/** Runs a write whose answer is lost after the server has committed it. */
async function losingTheAnswer<T>(write: () => Promise<T>, isWritten: () => Promise<boolean>): Promise<T> {
  // A connection that is open already, so that only the answer to this write is lost.
  await storage.table("sessions");
  link.deafen();
  const writing = write();
  await waitFor("the commit", isWritten);
  link.sever();
  return writing;
}

test("a start and an end whose answers are lost are reported as written, and write one question and one answer", async () => {
  const jobs = createJobRepository(storage, "worker-a");
  const payload = payloadIn(newId());
  const rowOf = () => direct.table("agent_logs").where({ id: payload.job_id }).first();
  const start = await losingTheAnswer(
    () => jobs.start(payload, 1),
    async () => (await rowOf()) !== undefined,
  );
  expect(start).toMatchObject({ kind: "started", attempt: 1 });
  const isEnded = await losingTheAnswer(
    () => jobs.end(payload, 1, jobEnd("answer")),
    async () => (await rowOf())?.status === "completed",
  );
  expect(isEnded).toBe(true);
  expect(await direct.table("messages").orderBy("ordinal").pluck("role")).toEqual(["user", "assistant"]);
  // Nobody else is told the same.
  expect(await jobs.end(payload, 1, jobEnd("answer"))).toBe(false);
});

test("a takeover, an entry of the journal and a committed copy whose answers are lost are reported as written", async () => {
  const [jobs, journal] = [createJobRepository(storage, "worker-a"), createJournalRepository(storage)];
  const payload = payloadIn(newId());
  await jobs.start(payload, 1);
  const row = { ...payload, id: payload.job_id, fencing_token: 1, attempts: 1, timeline: null };
  const taken = await losingTheAnswer(
    () => createOrphanedJobRepository(storage, "worker-b").takeOver(row, 2),
    async () => (await direct.table("agent_logs").first())?.fencing_token === 2,
  );
  expect(taken).toBe(true);
  const entry = { job_id: payload.job_id, step_no: 1, step_key: "k", kind: "tool", input: null, value: null } as const;
  const saved = await losingTheAnswer(
    () => journal.save({ ...entry, status: "started", fencing_token: 2, started_at: "now", finished_at: null }),
    async () => (await direct.table("agent_steps")).length === 1,
  );
  expect(saved).toBe(true);
  const knowledge = createKnowledgeRepository(storage);
  const { id: collectionId } = await knowledge.openCollection("alice", "c", "local");
  const job = { owner: "alice", collectionId, documentId: newId(), jobId: newId() };
  await knowledge.beginCopy(job);
  const content = { source: "s", version: "v", format: "text", bytes: 1, chunks: 1, metadata: "{}" } as const;
  const committed = await losingTheAnswer(
    () => knowledge.commitCopy(job, content),
    async () => (await direct.table("documents")).length === 1,
  );
  expect(committed).toBe(true);
});

test("writes and reads go on within ten seconds while all former connections are silent", async () => {
  const jobs = createJobRepository(storage, "worker-a");
  await Promise.all(Array.from({ length: 5 }, () => jobs.start(payloadIn(newId()), 1)));
  link.silence();
  const payloads = Array.from({ length: 10 }, () => payloadIn(newId()));
  const starts = Promise.all(payloads.map((payload) => jobs.start(payload, 1)));
  const reads = Promise.all(payloads.map(() => storage.table("sessions").limit(1)));
  await settledWithin("writes and reads over new connections", REPLACED_WITHIN_MS, Promise.all([starts, reads]));
  expect(await starts).toEqual(payloads.map(() => expect.objectContaining({ kind: "started", attempt: 1 })));
});

test("a batch whose rest never reaches the server is written over another connection, and holds no locks", async () => {
  await storage.table("sessions");
  // Its statements are run, and the commit waits for their answers.
  link.deafen();
  const row = { id: newId(), owner: "alice", name: "c", embedding: "local", created_at: "now" };
  const query = storage.table("collections").insert(row);
  const write = storage.write([{ query, guard: true }], { beforeCommit: () => {} });
  await settledWithin("the write over a new connection", REPLACED_WITHIN_MS, write);
  expect(await write).toBe(true);
  expect(await direct.table("collections").pluck("id")).toEqual([row.id]);
}, 60_000);

test("a large answer that the link takes no further is read over another connection within ten seconds", async () => {
  const length = 20_000_000;
  const { table, sql } = storage;
  await table("sessions");
  link.clog();
  const query = table("installation").select(sql.expression(`repeat('x', ${length}) as text`));
  const rows = await settledWithin("the read over a new connection", REPLACED_WITHIN_MS, Promise.resolve(query));
  expect(rows).toHaveProperty("0.text.length", length);
}, 60_000);

test("writes wait while new connections are silent too, and go on soon after the link passes again", async () => {
  const jobs = createJobRepository(storage, "worker-a");
  const payload = payloadIn(newId());
  link.silence({ alsoNew: true });
  const silent = link.silent();
  const start = jobs.start(payload, 1);
  await waitFor("a further try", () => link.silent() > silent + 1);
  link.admit();
  await settledWithin("the write", REPLACED_WITHIN_MS, start);
  expect(await start).toMatchObject({ kind: "started" });
}, 60_000);

test("a statement that takes long is no silent link", async () => {
  const { table, sql } = storage;
  const slow = table("installation").select(sql.expression("pg_sleep(8)::text as slept"));
  expect(await slow).toEqual([{ slept: "" }]);
}, 60_000);

test("a batch that waits for a lock beyond the limit of a statement is tried again, and holds up no other", async () => {
  const impatient = openStorage(url, 60_000, { maxConnections: 4, statementTimeoutMs: 300 });
  onTestFinished(() => impatient.close());
  const { table } = impatient;
  const row = { owner: "alice", embedding: "local", created_at: "now" };
  const [held, free] = [newId(), newId()];
  await direct.write([{ query: direct.table("collections").insert({ ...row, id: held, name: "held" }) }]);
  const lock = queryOn(url, "begin; update collections set name = name; select pg_sleep(2); commit");
  await waitFor("the lock", async () => {
    const [found] = await queryOn(
      url,
      "select 1 from pg_stat_activity where query like 'begin%' and wait_event = 'PgSleep'",
    );
    return found !== undefined;
  });
  const order: string[] = [];
  const update = impatient
    .write([{ query: table("collections").where({ id: held }).update({ name: "after" }), guard: true }])
    .then((isWritten) => order.push(`held ${isWritten}`));
  const insert = impatient
    .write([{ query: table("collections").insert({ ...row, id: free, name: "free" }) }])
    .then((isWritten) => order.push(`free ${isWritten}`));
  await Promise.all([update, insert, lock]);
  expect(order).toEqual(["free true", "held true"]);
  expect(impatient.canWrite()).toBe(true);
});

test("a process has no more connections than its pool, however much it reads and writes", async () => {
  const bounded = openStorage(`${url}?application_name=bounded`, 10_000, {
    maxConnections: 3,
    statementTimeoutMs: 30_000,
  });
  onTestFinished(() => bounded.close());
  const jobs = createJobRepository(bounded, "worker-a");
  let most = 0;
  const counting = (async () => {
    for (let count = 0; count < 20; count++) {
      const [row] = await queryOn(
        url,
        "select count(*)::int as n from pg_stat_activity where application_name = 'bounded'",
      );
      most = Math.max(most, (row as { n: number }).n);
    }
  })();
  const starts = await Promise.all(
    Array.from({ length: 200 }, async () => {
      await bounded.table("sessions").limit(1);
      return jobs.start(payloadIn(newId()), 1);
    }),
  );
  await counting;
  expect(starts.every(({ kind }) => kind === "started")).toBe(true);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(3);
});

test("a database that takes the place of another is written no more, and is read only if it is verified", async () => {
  const other = await createDatabase(await sharedPostgres());
  onTestFinished(other.drop);
  const foreign = openStorage(other.url);
  await migrate(foreign);
  const [own, foreignId] = [await storage.installation(), await foreign.installation()];
  await foreign.close();
  const verified: string[] = [];
  const readStorage = openReadStorage(url, async (id) => void verified.push(id));
  onTestFinished(() => readStorage.close());
  await readStorage.read((table) => table("sessions"), []);
  const reasons: string[] = [];
  const watching = storage.watch((reason) => reasons.push(reason));
  onTestFinished(() => watching.stop());
  const [name, otherName] = [url, other.url].map((one) => new URL(one).pathname.slice(1));
  const server = await sharedPostgres();
  await queryOn(server, `alter database ${name} connection limit 0`);
  await queryOn(server, "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [name]);
  await waitFor("the swap", async () => {
    await queryOn(server, "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [name]);
    return queryOn(server, `alter database ${name} rename to ${name}_away`).then(
      () => true,
      () => false,
    );
  });
  await queryOn(server, `alter database ${otherName} rename to ${name}`);
  onTestFinished(async () => void (await queryOn(server, `drop database if exists ${name}_away with (force)`)));
  await waitFor("the notice", () => reasons.length > 0);
  expect(reasons).toEqual([expect.stringContaining(foreignId ?? "")]);
  expect(storage.displacement()).toBe(reasons[0]);
  const write = storage.write([{ query: storage.table("sessions").delete() }]);
  await expect(write).rejects.toMatchObject({ code: "storage_unavailable" });
  await readStorage.read((table) => table("sessions"), []);
  expect(verified).toEqual([own, foreignId]);
});
