import { newId } from "@agent-paas/shared/ids.ts";
import { expect, test } from "vitest";
import {
  createKnowledgeRepository,
  type DocumentJob,
  type StoredContent,
} from "../../apps/worker/src/storage/knowledge-repository.ts";
import { endedJob, insertJobs, type OpenStorage, openParts } from "./storage-parts.ts";

const content = (version = "v1", source = "guide.md"): StoredContent => ({
  ...{ source, version, format: "markdown", bytes: 10, chunks: 2, metadata: "{}" },
});

/** A collection of alice, and jobs of one document whose ids rise in the order in which they are made. */
async function openCollection(open: OpenStorage) {
  const parts = await openParts(open);
  const { id: collectionId } = await parts.knowledge.openCollection("alice", "docs", "local");
  const documentId = newId();
  const newJob = (): DocumentJob => ({ owner: "alice", collectionId, documentId, jobId: newId() });
  const ingest = async (job = newJob(), version = "v1") => {
    await parts.knowledge.beginCopy(job);
    return parts.knowledge.commitCopy(job, content(version));
  };
  const removable = async (jobId = newId()) =>
    (await parts.knowledge.unreferencedCopies("alice", collectionId, jobId)).map(({ id }) => id);
  const copies = () => parts.table("unreferenced_copies").orderBy("id").select("id", "state");
  return { ...parts, collectionId, documentId, newJob, ingest, removable, copies };
}

export function knowledgeContract(open: OpenStorage): void {
  test("a collection is made once per owner and name, and keeps its embedding", async () => {
    const { knowledge } = await openParts(open);
    const opened = await Promise.all(
      ["a", "b"].map((embedding) => knowledge.openCollection("alice", "docs", embedding)),
    );
    expect(opened[1]).toEqual(opened[0]);
    const other = await knowledge.openCollection("bob", "docs", "b");
    expect(other.id).not.toBe(opened[0]?.id);
    expect(await knowledge.findCollection("alice", "docs")).toEqual(opened[0]);
    expect(await knowledge.findCollection("alice", "none")).toBeUndefined();
    expect([await knowledge.hasCollection("bob", other.id), await knowledge.hasCollection("alice", other.id)]).toEqual([
      true,
      false,
    ]);
  });

  test("of collections, documents and chunks that are added at once an owner keeps his share", async () => {
    const { storage } = await openParts(open);
    const knowledge = createKnowledgeRepository(storage, { collections: 2, documents: 3, chunks: 5 });
    const exceeded = expect.objectContaining({ code: "knowledge_share_exceeded" });
    const opened = await Promise.allSettled(
      ["a", "b", "c", "d"].map((name) => knowledge.openCollection("alice", name, "local")),
    );
    const made = opened.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    expect(made).toHaveLength(2);
    expect(opened.filter(({ status }) => status === "rejected")).toEqual(
      Array(2).fill({ status: "rejected", reason: exceeded }),
    );
    expect(await knowledge.openCollection("alice", made[0]?.name ?? "", "local")).toEqual(made[0]);
    await knowledge.openCollection("bob", "a", "local");

    const store = async (owner: string, collectionId: string, at: number, chunks: number, documentId = newId()) => {
      const job = { owner, collectionId, documentId, jobId: newId() };
      await knowledge.beginCopy(job);
      return (await knowledge.commitCopy(job, { ...content("v1", `${at}.md`), chunks })) ? job : null;
    };
    const [first, second] = made.map(({ id }) => id);
    // Six of one chunk each, in both collections: the number of documents is the bound.
    const kept = await Promise.all(
      Array.from({ length: 6 }, (_, at) => store("alice", (at % 2 === 0 ? first : second) ?? "", at, 1)),
    );
    const [one, ...others] = kept.filter((job) => job !== null);
    expect(others).toHaveLength(2);
    if (one === undefined) throw new Error("no document was stored");
    const at = kept.indexOf(one);
    await expect(knowledge.assertWithinShares({ ...one, documentId: newId() }, 1)).rejects.toEqual(exceeded);
    // It may be stored again, with as many chunks as are left.
    await knowledge.assertWithinShares(one, 3);
    await expect(knowledge.assertWithinShares(one, 4)).rejects.toEqual(exceeded);
    expect(await store("alice", one.collectionId, at, 4, one.documentId)).toBeNull();
    expect(await store("alice", one.collectionId, at, 3, one.documentId)).not.toBeNull();
  });

  test("a committed copy becomes the document's, and is an unreferenced one no more", async () => {
    const { knowledge, newJob, ingest, copies, collectionId } = await openCollection(open);
    const job = newJob();
    await knowledge.beginCopy(job);
    await knowledge.beginCopy(job);
    expect(await copies()).toEqual([{ id: job.jobId, state: "pending" }]);
    expect(await knowledge.findDocument(job)).toBeUndefined();
    expect(await ingest(job)).toBe(true);
    expect(await copies()).toEqual([]);
    expect(await knowledge.findDocument(job)).toMatchObject({ job_id: job.jobId, copy_id: job.jobId, version: "v1" });
    expect(await knowledge.currentCopies("alice", collectionId, [job.jobId, newId()])).toEqual([
      { id: job.documentId, copy_id: job.jobId, version: "v1" },
    ]);
  });

  test("a later copy replaces the current one, which becomes unreferenced", async () => {
    const { knowledge, newJob, ingest, copies, removable } = await openCollection(open);
    const [first, second] = [newJob(), newJob()];
    await ingest(first, "v1");
    const created = (await knowledge.findDocument(first))?.created_at;
    await ingest(second, "v2");
    expect(await copies()).toEqual([{ id: first.jobId, state: "replaced" }]);
    expect(await removable()).toEqual([first.jobId]);
    const document = await knowledge.findDocument(second);
    expect(document).toMatchObject({ copy_id: second.jobId, version: "v2", created_at: created });
    await knowledge.forgetCopy("bob", first.jobId);
    expect(await copies()).toHaveLength(1);
    await knowledge.forgetCopy("alice", first.jobId);
    expect(await copies()).toEqual([]);
  });

  test("a copy is refused when an ingest accepted later has been committed", async () => {
    const { knowledge, newJob, ingest, copies } = await openCollection(open);
    const [earlier, later] = [newJob(), newJob()];
    await knowledge.beginCopy(earlier);
    await ingest(later, "v2");
    expect(await copies()).toEqual([{ id: earlier.jobId, state: "revoked" }]);
    expect(await knowledge.commitCopy(earlier, content("v1"))).toBe(false);
    // Also when it begins its copy only now.
    const [late, latest] = [newJob(), newJob()];
    await ingest(latest, "v3");
    expect(await ingest(late, "v1")).toBe(false);
    expect(await knowledge.findDocument(later)).toMatchObject({ version: "v3" });
  });

  test("an abandoned copy cannot be committed, and a committed one cannot be abandoned", async () => {
    const { knowledge, newJob, ingest, copies } = await openCollection(open);
    const [abandoned, committed] = [newJob(), newJob()];
    await knowledge.beginCopy(abandoned);
    await knowledge.abandonCopy(abandoned);
    expect(await knowledge.commitCopy(abandoned, content())).toBe(false);
    await ingest(committed);
    await knowledge.abandonCopy(committed);
    expect(await knowledge.findDocument(committed)).toMatchObject({ copy_id: committed.jobId });
    expect(await copies()).toEqual([{ id: abandoned.jobId, state: "revoked" }]);
  });

  test("stored content is confirmed by a later ingest of the same version only", async () => {
    const { knowledge, newJob, ingest } = await openCollection(open);
    const early = newJob();
    const stored = newJob();
    await ingest(stored, "v1");
    expect(await knowledge.confirm(early, "v1", "{}")).toBe(false);
    const later = newJob();
    expect(await knowledge.confirm(later, "v2", "{}")).toBe(false);
    expect(await knowledge.confirm(later, "v1", '{"a":1}')).toBe(true);
    expect(await knowledge.findDocument(later)).toMatchObject({
      job_id: later.jobId,
      copy_id: stored.jobId,
      metadata: '{"a":1}',
    });
  });

  test("pending copies are removable by their own job, and by others when their job has ended", async () => {
    const parts = await openCollection(open);
    const [running, ended] = [parts.newJob(), parts.newJob()];
    for (const job of [running, ended]) await parts.knowledge.beginCopy(job);
    await insertJobs(parts, endedJob({ id: running.jobId, status: "running", finished_at: null }));
    await insertJobs(parts, endedJob({ id: ended.jobId, status: "failed" }));
    expect(await parts.removable()).toEqual([ended.jobId]);
    expect((await parts.removable(running.jobId)).sort()).toEqual([running.jobId, ended.jobId].sort());
  });

  test("a deletion leaves what an ingest accepted later has stored", async () => {
    const { knowledge, newJob, ingest, copies } = await openCollection(open);
    const [pending, stored, deletion] = [newJob(), newJob(), newJob()];
    await knowledge.beginCopy(pending);
    await ingest(stored);
    await knowledge.deleteDocument(deletion);
    expect(await knowledge.findDocument(stored)).toBeUndefined();
    expect(await copies()).toEqual([
      { id: pending.jobId, state: "revoked" },
      { id: stored.jobId, state: "replaced" },
    ]);
    const later = newJob();
    await ingest(later, "v2");
    await knowledge.deleteDocument(deletion);
    expect(await knowledge.findDocument(later)).toMatchObject({ version: "v2" });
  });

  test("a deleted collection takes its documents and copies along, and ingests cannot be committed into it", async () => {
    const { table, knowledge, collectionId, newJob, ingest } = await openCollection(open);
    await ingest();
    const pending = newJob();
    await knowledge.beginCopy(pending);
    await knowledge.deleteCollection("bob", collectionId);
    expect(await table("collections")).toHaveLength(1);
    await knowledge.deleteCollection("alice", collectionId);
    const tables = ["collections", "documents", "unreferenced_copies"] as const;
    expect(await Promise.all(tables.map((name) => table(name)))).toEqual([[], [], []]);
    expect(await knowledge.commitCopy(pending, content())).toBe(false);
  });

  test("the reader counts the documents and chunks of its owner's collections, by name", async () => {
    const { knowledge, knowledgeReader, ingest, collectionId } = await openCollection(open);
    await knowledge.openCollection("alice", "another", "local");
    await knowledge.openCollection("bob", "docs", "local");
    await ingest();
    const counted = { id: collectionId, name: "docs", documents: 1, chunks: 2 };
    expect(await knowledgeReader.collections("alice")).toMatchObject([
      { name: "another", documents: 0, chunks: 0 },
      counted,
    ]);
    expect(await knowledgeReader.counted("alice", "docs")).toMatchObject(counted);
    expect(await knowledgeReader.collection("alice", "docs")).toMatchObject({ id: collectionId });
    expect(await knowledgeReader.counted("carol", "docs")).toBeUndefined();
  });

  test("the reader sees whether a document is stored or being stored", async () => {
    const { knowledge, knowledgeReader, collectionId, documentId, newJob, ingest } = await openCollection(open);
    const job = newJob();
    const state = async () => [
      await knowledgeReader.isBeingStored("alice", collectionId, documentId),
      (await knowledgeReader.document("alice", collectionId, documentId)) !== undefined,
    ];
    expect(await state()).toEqual([false, false]);
    await knowledge.beginCopy(job);
    expect(await state()).toEqual([true, false]);
    await ingest(job);
    expect(await state()).toEqual([false, true]);
    expect(await knowledgeReader.document("bob", collectionId, documentId)).toBeUndefined();
  });

  test("the reader lists documents in pages, the newest first, also those stored within the same millisecond", async () => {
    const { table, write, knowledge, knowledgeReader, collectionId } = await openCollection(open);
    const documentIds = Array.from({ length: 5 }, newId);
    for (const documentId of documentIds) {
      const job = { owner: "alice", collectionId, documentId, jobId: newId() };
      await knowledge.beginCopy(job);
      await knowledge.commitCopy(job, content("v1", documentId));
    }
    const created = (ids: readonly string[], created_at: string) => ({
      query: table("documents").whereIn("id", ids).update({ created_at }),
    });
    await write([created(documentIds.slice(0, 3), "2026-01-02"), created(documentIds.slice(3), "2026-01-01")]);
    const newestFirst = [...documentIds.slice(0, 3).toReversed(), ...documentIds.slice(3).toReversed()];
    const first = await knowledgeReader.documents("alice", collectionId, { limit: 2 });
    const rest = await knowledgeReader.documents("alice", collectionId, { limit: 9, before: first.at(-1)?.id });
    expect([...first, ...rest].map(({ id }) => id)).toEqual(newestFirst);
  });
}
