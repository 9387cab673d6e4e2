/** What several workers write at once: each storage here stands for the one of a process of its own. */
import { openStorage } from "@agent-paas/shared/db/open-storage.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { expect, onTestFinished, test } from "vitest";
import { createJobRepository } from "../../apps/worker/src/storage/job-repository.ts";
import { createKnowledgeRepository } from "../../apps/worker/src/storage/knowledge-repository.ts";
import { createSessionRepository } from "../../apps/worker/src/storage/session-repository.ts";
import { jobEnd } from "../support/job-end.ts";
import { jobPayload } from "../support/job-payload.ts";
import { type OpenStorage, openParts } from "./storage-parts.ts";

const WORKERS = 3;

async function openWorkers(open: OpenStorage) {
  const parts = await openParts(open);
  const storages = Array.from({ length: WORKERS }, () => openStorage(parts.url));
  onTestFinished(async () => {
    await Promise.all(storages.map((storage) => storage.close()));
  });
  return { ...parts, storages };
}

const at = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;

export function concurrencyContract(open: OpenStorage): void {
  test("questions and answers that several workers write into one session at once get consecutive ordinals", async () => {
    const { storages, table } = await openWorkers(open);
    const workers = storages.map((storage, number) => createJobRepository(storage, `worker-${number}`));
    const session_id = newId();
    const payloads = Array.from({ length: 30 }, () => jobPayload({ kind: "chat", session_id }));
    const ended = await Promise.all(
      payloads.map(async (payload, number) => {
        const worker = at(workers, number);
        expect(await worker.start(payload, 1)).toMatchObject({ kind: "started" });
        return worker.end(payload, 1, jobEnd("answer"));
      }),
    );
    expect(ended).toEqual(payloads.map(() => true));
    const ordinals = await table("messages").where({ session_id }).orderBy("ordinal").pluck("ordinal");
    expect(ordinals).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  });

  test("of several workers that start and end one job at once, one has its way", async () => {
    const { storages, table } = await openWorkers(open);
    const workers = storages.map((storage, number) => createJobRepository(storage, `worker-${number}`));
    for (let round = 0; round < 5; round++) {
      const payload = jobPayload({ kind: "chat", session_id: newId() });
      const starts = await Promise.all(workers.map((worker) => worker.start(payload, 1)));
      expect(starts.filter(({ kind }) => kind === "started")).toHaveLength(1);
      const ends = await Promise.all(workers.map((worker) => worker.end(payload, 1, jobEnd("answer"))));
      expect(ends.filter(Boolean)).toHaveLength(1);
      expect(await table("messages").where({ job_id: payload.job_id }).pluck("role")).toHaveLength(2);
    }
  });

  test("a session that is deleted while jobs start and end in it leaves none of its rows half", async () => {
    const { storages, table } = await openWorkers(open);
    const jobs = storages.map((storage, number) => createJobRepository(storage, `worker-${number}`));
    const sessions = storages.map(createSessionRepository);
    const session_id = newId();
    const payloads = Array.from({ length: 24 }, () => jobPayload({ kind: "chat", session_id, owner: "alice" }));
    await Promise.all(
      payloads.map(async (payload, number) => {
        await at(jobs, number).start(payload, 1);
        if (number % 4 === 0) await at(sessions, number + 1).delete(session_id, "alice");
        await at(jobs, number).end(payload, 1, jobEnd("answer"));
      }),
    );
    const known = await table("agent_logs").where({ session_id }).pluck("id");
    const ofMessages = new Set(await table("messages").where({ session_id }).pluck("job_id"));
    expect([...ofMessages].filter((id) => !known.includes(id))).toEqual([]);
    expect(await table("agent_logs").where({ session_id, status: "running" })).toEqual([]);
  });

  test("what several workers add to one owner's knowledge at once stays within the owner's shares", async () => {
    const { storages, table, knowledgeReader } = await openWorkers(open);
    const shares = { collections: 2, documents: 3, chunks: 20 };
    const workers = storages.map((storage) => createKnowledgeRepository(storage, shares));
    const opened = await Promise.allSettled(
      Array.from({ length: 12 }, (_, number) => at(workers, number).openCollection("alice", `c${number}`, "local")),
    );
    expect(opened.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
    const [collection] = await knowledgeReader.collections("alice");
    const content = { source: "", version: "v", format: "text", bytes: 1, chunks: 4, metadata: "{}" } as const;
    const committed = await Promise.all(
      Array.from({ length: 12 }, async (_, number) => {
        const ids = { owner: "alice", collectionId: collection?.id ?? "", documentId: newId(), jobId: newId() };
        await at(workers, number).beginCopy(ids);
        return at(workers, number).commitCopy(ids, { ...content, source: `s${number}` });
      }),
    );
    expect(committed.filter(Boolean)).toHaveLength(3);
    expect(await table("documents")).toHaveLength(3);
  });

  test("of several ingests of one document that are committed at once, the latest stays and no copy is lost", async () => {
    const { storages, table, knowledge } = await openWorkers(open);
    const workers = storages.map((storage) => createKnowledgeRepository(storage));
    const { id: collectionId } = await knowledge.openCollection("alice", "c", "local");
    const documentId = newId();
    const ids = Array.from({ length: 9 }, () => newId()).sort();
    const content = { source: "s", format: "text", bytes: 1, chunks: 1, metadata: "{}" } as const;
    await Promise.all(
      ids.map(async (jobId, number) => {
        const job = { owner: "alice", collectionId, documentId, jobId };
        await at(workers, number).beginCopy(job);
        await at(workers, number).commitCopy(job, { ...content, version: `v${number}` });
      }),
    );
    const [document] = await table("documents");
    expect(document?.job_id).toBe(ids.at(-1));
    // Every other copy may be deleted from the vector store, because it is known as one that no document refers to.
    const unreferenced = await table("unreferenced_copies").pluck("id");
    expect([...unreferenced, document?.copy_id].toSorted()).toEqual(ids);
  });
}
