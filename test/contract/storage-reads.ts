import { newId } from "@agent-paas/shared/ids.ts";
import { expect, onTestFinished, test } from "vitest";
import { createJobReader } from "../../apps/api/src/storage/job-reader.ts";
import { createKnowledgeReader } from "../../apps/api/src/storage/knowledge-reader.ts";
import { createSessionReader } from "../../apps/api/src/storage/session-reader.ts";
import { MIGRATIONS, migrate } from "../../apps/worker/src/storage/migrate.ts";
import { collectionRow, endedJob, insertJobs, type OpenStorage, openMigrated, openParts } from "./storage-parts.ts";

export function readContract(open: OpenStorage): void {
  test("readers find nothing before the first migration, and read the database after it", async () => {
    const { storage, readStorage, cleanup } = await open("new");
    onTestFinished(cleanup);
    const [jobs, sessions, knowledge] = [
      createJobReader(readStorage),
      createSessionReader(readStorage),
      createKnowledgeReader(readStorage),
    ];
    const read = async () => [
      await jobs.find("alice", newId()),
      await jobs.list("alice", { limit: 1 }),
      await sessions.messages("alice", newId(), { limit: 1 }),
      await knowledge.collections("alice"),
      await knowledge.isBeingStored("alice", newId(), newId()),
    ];
    expect(await read()).toEqual([undefined, [], [], [], false]);
    const isMigrated = () => readStorage.read((table) => table("agent_logs").then(() => true), false);
    expect(await isMigrated()).toBe(false);
    await migrate(storage);
    expect(await isMigrated()).toBe(true);
    expect(await read()).toEqual([undefined, [], [], [], false]);
  });

  test("a migration that is applied already is not run again, and a new one is", async () => {
    const { storage } = await openMigrated(open);
    const ran: string[] = [];
    const next = (name: string) => [name, { up: async () => void ran.push(name) }] as const;
    await storage.migrate(new Map([...MIGRATIONS, next("901-next")]));
    await storage.migrate(new Map([...MIGRATIONS, next("901-next"), next("902-after-it")]));
    expect(ran).toEqual(["901-next", "902-after-it"]);
  });

  test("a breaking migration of a newer version is refused by a version that does not know it", async () => {
    const { storage } = await openMigrated(open);
    const newer = { up: async () => {} };
    await storage.migrate(new Map([...MIGRATIONS, ["901-more-columns", newer]]));
    await expect(migrate(storage)).resolves.toBeUndefined();
    await storage.migrate(new Map([...MIGRATIONS, ["902-renamed-columns-breaking", newer]]));
    await expect(migrate(storage)).rejects.toThrow(
      /A newer version has migrated the database \(902-renamed-columns-breaking\)/,
    );
  });

  test.each(["insert", "update", "delete"] as const)("a reader's storage refuses to %s", async (change) => {
    const { storage, readStorage } = await openParts(open);
    const row = collectionRow();
    await storage.write([{ query: storage.table("collections").insert(row) }]);
    const changed = readStorage.read(async (table) => {
      if (change === "insert") await table("collections").insert(collectionRow());
      if (change === "update") await table("collections").update({ owner: "eve" });
      if (change === "delete") await table("collections").delete();
    }, undefined);
    await expect(changed).rejects.toMatchObject({ code: "database_unavailable" });
    expect(await storage.table("collections")).toEqual([row]);
  });

  test("a read that fails rejects with database_unavailable", async () => {
    const { readStorage } = await openParts(open);
    const failed = readStorage.read(async (table, sql) => table("sessions").where(sql.expression("no_column = 1")), []);
    await expect(failed).rejects.toMatchObject({ code: "database_unavailable" });
  });

  test("the reader finds a job of its owner only, and which of several jobs were started", async () => {
    const parts = await openParts(open);
    const [own, foreign] = [endedJob(), endedJob({ owner: "bob" })];
    await insertJobs(parts, own, foreign);
    expect(await parts.jobReader.find("alice", own.id)).toEqual(own);
    expect(await parts.jobReader.find("alice", foreign.id)).toBeUndefined();
    expect(await parts.jobReader.startedIds("alice", [own.id, foreign.id, newId()])).toEqual([own.id]);
  });

  test("the reader lists jobs in pages, newest first, without knowledge queries", async () => {
    const parts = await openParts(open);
    const rows = [1, 2, 3].map(() => endedJob());
    const query = endedJob({ agent_type: "knowledge.query" });
    await insertJobs(parts, ...rows, query, endedJob({ owner: "bob" }));
    const ids = rows.map(({ id }) => id).reverse();
    const first = await parts.jobReader.list("alice", { limit: 2 });
    const second = await parts.jobReader.list("alice", { limit: 2, before: first.at(-1)?.id });
    expect([...first, ...second].map(({ id }) => id)).toEqual(ids);
    expect(await parts.jobReader.list("alice", { limit: 9, agent_type: "knowledge.query" })).toMatchObject([
      { id: query.id },
    ]);
  });

  test("the reader lists the jobs that pass every given filter", async () => {
    const parts = await openParts(open);
    const sessionId = newId();
    const wanted = { status: "failed", kind: "chat", agent_type: "tool_basic" } as const;
    const session = { id: sessionId, owner: "alice", agent_type: "tool_basic", config: "{}", metadata: "{}" };
    await parts.write([{ query: parts.table("sessions").insert({ ...session, created_at: "", updated_at: "" }) }]);
    const match = endedJob({ ...wanted, session_id: sessionId });
    await insertJobs(
      parts,
      match,
      endedJob({ ...wanted, session_id: null }),
      endedJob({ ...wanted, session_id: sessionId, status: "completed" }),
      endedJob({ ...wanted, session_id: sessionId, kind: "execute" }),
      endedJob({ ...wanted, session_id: sessionId, agent_type: "chat_basic" }),
    );
    const found = await parts.jobReader.list("alice", { ...wanted, session_id: sessionId, limit: 9 });
    expect(found.map(({ id }) => id)).toEqual([match.id]);
    // A list leaves out the task, which may be as large as a request.
    expect(found[0]).not.toHaveProperty("task");
  });
}
