/**
 * Writes collections and documents. The vector store has no transactions, so these rows decide which of its chunks
 * count.
 *
 * One ingest stores one copy, under its job's id and shared with no other job. The copy is unreferenced until the one
 * transaction that makes it the document's current copy, and again when another copy replaces it:
 * 1. A pending copy may become the current one, unless an ingest accepted later has been committed.
 * 2. The transaction that replaces or deletes a document also revokes the copies of all ingests accepted before.
 * 3. A copy is deleted from the vector store, and then its row, when no job can add chunks to it any more: it was
 *    replaced, its job has ended, or its own job deletes it.
 */
import { type KnowledgeShares, NO_SHARES, shareExceeded } from "@agent-paas/shared/config/knowledge-shares.ts";
import { TERMINAL_STATUSES } from "@agent-paas/shared/contract/jobs.ts";
import type { Query } from "@agent-paas/shared/db/queries.ts";
import type { CollectionRow, DocumentRow, UnreferencedCopyRow } from "@agent-paas/shared/db/rows.ts";
import type { Storage, WriteStatement } from "@agent-paas/shared/db/storage.ts";
import { newId } from "@agent-paas/shared/ids.ts";

/** A document in a collection of the owner, and the job that stores, confirms or deletes it. */
export type DocumentJob = {
  readonly owner: string;
  readonly collectionId: string;
  readonly documentId: string;
  readonly jobId: string;
};

export type StoredContent = Pick<DocumentRow, "source" | "version" | "format" | "bytes" | "chunks" | "metadata">;

type Kept = { readonly documents: number; readonly chunks: number };

/** Unreferenced copies per read. */
const SWEEP_LIMIT = 100;

const now = () => new Date().toISOString();

/** What decides on the owner's counts and current copies must see what was decided before. */
const inTurnOf = (owner: string) => ({ inTurn: `knowledge of ${owner}` });

export type KnowledgeRepository = ReturnType<typeof createKnowledgeRepository>;

/** @param shares what an owner may keep; enforced inside the transaction that adds something. */
export function createKnowledgeRepository({ table, sql, write }: Storage, shares: KnowledgeShares = NO_SHARES) {
  const findCollection = async (owner: string, name: string): Promise<CollectionRow | undefined> =>
    table("collections").where({ owner, name }).first();

  const ofDocument = ({ owner, collectionId, documentId }: DocumentJob) =>
    table("documents").where({ id: documentId, owner, collection_id: collectionId });

  const ownCopy = ({ owner, collectionId, jobId }: DocumentJob) =>
    table("unreferenced_copies").where({ id: jobId, owner, collection_id: collectionId });

  /** The copies of ingests accepted before the job. Job ids are UUIDv7, so a lower id was accepted earlier. */
  const revokeEarlier = (job: DocumentJob): WriteStatement => ({
    query: table("unreferenced_copies")
      .where({ owner: job.owner, collection_id: job.collectionId, document_id: job.documentId })
      .where("id", "<", job.jobId)
      .where({ state: "pending" })
      .update({ state: "revoked" }),
  });

  /**
   * What the owner keeps besides the job's document: rows are counted, so no counter can differ from them. All less the
   * document's own, because an index has the numbers of all.
   */
  const keptBesides = (counted: string, { owner, documentId }: DocumentJob) => {
    const count = (of: Query) => of.select(sql.expression(counted));
    const all = table("collections").where("collections.owner", owner);
    const ofOwner = all.join("documents", "documents.collection_id", "collections.id");
    return sql.expression("(?) - (?)", [count(ofOwner), count(table("documents").where({ id: documentId, owner }))]);
  };
  const otherDocuments = (job: DocumentJob) => keptBesides("count(*)", job);
  const otherChunks = (job: DocumentJob) => keptBesides("coalesce(sum(documents.chunks), 0)", job);

  /** The document, unless a job accepted later has committed or confirmed it. */
  const notOvertaken = (job: DocumentJob) => ofDocument(job).where("job_id", "<=", job.jobId);

  /**
   * Makes the current copy an unreferenced one, before the batch replaces it. No other batch replaces it in between,
   * because those of one owner's knowledge run in turn.
   */
  const replaceCurrent = (job: DocumentJob): WriteStatement => ({
    query: sql.insertFrom(
      "unreferenced_copies",
      ["id", "collection_id", "document_id", "owner", "state"],
      notOvertaken(job)
        .whereNot("copy_id", job.jobId)
        .select("copy_id", "collection_id", "id", "owner", sql.expression("'replaced'")),
    ),
  });

  return {
    findCollection,

    /** The owner's collection of that name; made with `embedding` when there is none. */
    async openCollection(owner: string, name: string, embedding: string): Promise<CollectionRow> {
      const known = await findCollection(owner, name);
      if (known !== undefined) return known;
      const row: CollectionRow = { id: newId(), owner, name, embedding, created_at: now() };
      const ofOwner = table("collections").where({ owner }).count("*");
      await write(
        [
          { query: table("collections").insert(row).onConflict(["owner", "name"]).ignore() },
          // Nothing is kept if the owner has more now, or if another job has made the collection.
          {
            query: table("collections")
              .where({ id: row.id })
              .whereRaw("(?) <= ?", [ofOwner, shares.collections])
              .update({ name }),
            guard: true,
          },
        ],
        inTurnOf(owner),
      );
      const collection = await findCollection(owner, name);
      if (collection === undefined) throw shareExceeded("collections", shares);
      return collection;
    },

    hasCollection: async (owner: string, id: string): Promise<boolean> =>
      (await table("collections").where({ id, owner }).first()) !== undefined,

    findDocument: async (job: DocumentJob): Promise<DocumentRow | undefined> => ofDocument(job).first(),

    /** Those of the given copies that are the current copy of a document. */
    currentCopies: async (
      owner: string,
      collectionId: string,
      copyIds: readonly string[],
    ): Promise<Pick<DocumentRow, "id" | "copy_id" | "version">[]> =>
      table("documents")
        .where({ owner, collection_id: collectionId })
        .whereIn("copy_id", copyIds)
        .select("id", "copy_id", "version"),

    /** Before the first chunk goes to the vector store. Does nothing when the job has begun its copy already. */
    async beginCopy({ owner, collectionId, documentId, jobId }: DocumentJob): Promise<void> {
      const row = { id: jobId, collection_id: collectionId, document_id: documentId, owner, state: "pending" } as const;
      await write([{ query: table("unreferenced_copies").insert(row).onConflict("id").ignore() }]);
    },

    /** Throws `knowledge_share_exceeded` if the owner may not keep a document of so many chunks. */
    async assertWithinShares(job: DocumentJob, chunks: number): Promise<void> {
      const kept = await table("collections")
        .where({ id: job.collectionId })
        .select<Kept[]>(otherDocuments(job).wrap("(", ") as documents"), otherChunks(job).wrap("(", ") as chunks"))
        .first();
      if (kept === undefined) return;
      if (kept.documents >= shares.documents) throw shareExceeded("documents", shares);
      if (kept.chunks + chunks > shares.chunks) throw shareExceeded("chunks", shares);
    },

    /**
     * Makes the job's copy the current one. False: it was revoked, an ingest accepted later has been committed, or the
     * owner's share does not suffice.
     */
    commitCopy(job: DocumentJob, content: StoredContent): Promise<boolean> {
      const { jobId, owner, collectionId, documentId } = job;
      const replaced = { ...content, job_id: jobId, copy_id: jobId, updated_at: now() };
      const row = { id: documentId, owner, collection_id: collectionId, ...replaced, created_at: replaced.updated_at };
      const upsert = table("documents")
        .insert(row)
        .onConflict("id")
        .merge(replaced)
        .where("documents.job_id", "<=", jobId);
      const own = ownCopy(job)
        .where({ state: "pending" })
        .whereRaw("? < ?", [otherDocuments(job), shares.documents])
        .whereRaw("? + ? <= ?", [otherChunks(job), content.chunks, shares.chunks]);
      const batch = [
        { query: own.delete(), guard: true },
        replaceCurrent(job),
        { query: upsert, guard: true },
        revokeEarlier(job),
      ];
      return write(batch, { ...inTurnOf(owner), written: () => ofDocument(job).where({ copy_id: jobId }) });
    },

    /** The job ingests the content that is stored already. False: the stored content is another by now. */
    confirm: (job: DocumentJob, version: string, metadata: string): Promise<boolean> =>
      write(
        [
          { query: notOvertaken(job).where({ version }).update({ job_id: job.jobId, metadata }), guard: true },
          revokeEarlier(job),
        ],
        inTurnOf(job.owner),
      ),

    /** The job will not commit its copy. A copy that is committed already stays the current one. */
    async abandonCopy(job: DocumentJob): Promise<void> {
      await write([{ query: ownCopy(job).update({ state: "revoked" }) }]);
    },

    /** The copies that may be deleted from the vector store, the copy of the job itself included. */
    unreferencedCopies: async (
      owner: string,
      collectionId: string,
      jobId: string,
    ): Promise<Pick<UnreferencedCopyRow, "id">[]> => {
      const endedJob = table("agent_logs")
        .whereRaw("agent_logs.id = unreferenced_copies.id")
        .whereIn("status", [...TERMINAL_STATUSES]);
      return table("unreferenced_copies")
        .where({ owner, collection_id: collectionId })
        .where((settled) => settled.where({ state: "replaced" }).orWhere({ id: jobId }).orWhereExists(endedJob))
        .select("id")
        .limit(SWEEP_LIMIT);
    },

    /** After the vector store has deleted all chunks of the copy. */
    async forgetCopy(owner: string, id: string): Promise<void> {
      await write([{ query: table("unreferenced_copies").where({ id, owner }).delete() }]);
    },

    /** Deletes the document unless a job accepted later has stored it: a deletion may be retried much later. */
    async deleteDocument(job: DocumentJob): Promise<void> {
      await write(
        [replaceCurrent(job), revokeEarlier(job), { query: notOvertaken(job).delete() }],
        inTurnOf(job.owner),
      );
    },

    /** Deletes the collection with its documents; deletes nothing when the owner has no such collection. */
    async deleteCollection(owner: string, id: string): Promise<void> {
      await write([{ query: table("collections").where({ id, owner }).delete() }], inTurnOf(owner));
    },
  };
}
