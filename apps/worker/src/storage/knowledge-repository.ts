/**
 * Writes collections and documents. The vector store knows no transactions, so these rows decide what of it counts.
 *
 * What one ingest stores is a copy, under its job's id, never shared with another job. It is a stray until the one
 * transaction that makes it the document's, and a stray again when another replaces it:
 * 1. A pending copy may become the document's, unless an ingest accepted later has had its way.
 * 2. Whoever replaces or deletes a document revokes the copies of all ingests accepted before, in the same transaction.
 * 3. A copy is taken from the store, and then forgotten, when nobody can add to it any more: it was replaced, its job has
 *    ended, or its job does it itself.
 */
import { TERMINAL_STATUSES } from "@agent-paas/shared/contract/jobs.ts";
import type { CollectionRow, DocumentRow, UnreferencedCopyRow } from "@agent-paas/shared/db/rows.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import type { Knex } from "knex";
import { type WriteStatement, writeBatch } from "./write-batch.ts";

/** A document in a collection of the owner's, and the job that is at it. */
export type DocumentJob = {
  readonly owner: string;
  readonly collectionId: string;
  readonly documentId: string;
  readonly jobId: string;
};

export type StoredContent = Pick<DocumentRow, "source" | "version" | "format" | "bytes" | "chunks" | "metadata">;

/** How many strays one sweep takes. */
const SWEEP_LIMIT = 100;

const now = () => new Date().toISOString();

export type KnowledgeRepository = ReturnType<typeof createKnowledgeRepository>;

export function createKnowledgeRepository(db: Knex) {
  const findCollection = async (owner: string, name: string): Promise<CollectionRow | undefined> =>
    db<CollectionRow>("collections").where({ owner, name }).first();

  const ofDocument = ({ owner, collectionId, documentId }: DocumentJob) =>
    db<DocumentRow>("documents").where({ id: documentId, owner, collection_id: collectionId });

  const ownCopy = ({ owner, collectionId, jobId }: DocumentJob) =>
    db<UnreferencedCopyRow>("unreferenced_copies").where({ id: jobId, owner, collection_id: collectionId });

  /** What ingests accepted before the job have begun. */
  const revokeEarlier = (job: DocumentJob): WriteStatement => ({
    query: db<UnreferencedCopyRow>("unreferenced_copies")
      .where({ owner: job.owner, collection_id: job.collectionId, document_id: job.documentId })
      .where("id", "<", job.jobId)
      .where({ state: "pending" })
      .update({ state: "revoked" }),
  });

  /** The document as long as nothing accepted after the job has had its way. */
  const notOvertaken = (job: DocumentJob) => ofDocument(job).where("job_id", "<=", job.jobId);

  /** The copy that is the document's until the end of the transaction. */
  const replaceCurrent = (job: DocumentJob): WriteStatement => ({
    query: db(db.raw("unreferenced_copies (id, collection_id, document_id, owner, state)")).insert(
      notOvertaken(job)
        .whereNot("copy_id", job.jobId)
        .select("copy_id", "collection_id", "id", "owner", db.raw("'replaced'")),
    ),
  });

  return {
    findCollection,

    /** The owner's collection of that name, made with `embedding` if there is none. */
    async openCollection(owner: string, name: string, embedding: string): Promise<CollectionRow> {
      const row: CollectionRow = { id: newId(), owner, name, embedding, created_at: now() };
      await writeBatch(db, [{ query: db("collections").insert(row).onConflict(["owner", "name"]).ignore() }]);
      const collection = await findCollection(owner, name);
      if (collection === undefined) throw new PlatformError("collection_not_found");
      return collection;
    },

    hasCollection: async (owner: string, id: string): Promise<boolean> =>
      (await db<CollectionRow>("collections").where({ id, owner }).first()) !== undefined,

    findDocument: async (job: DocumentJob): Promise<DocumentRow | undefined> => ofDocument(job).first(),

    /** Of the given copies those that are their documents'. */
    currentCopies: async (
      owner: string,
      collectionId: string,
      copyIds: readonly string[],
    ): Promise<Pick<DocumentRow, "id" | "copy_id" | "version">[]> =>
      db<DocumentRow>("documents")
        .where({ owner, collection_id: collectionId })
        .whereIn("copy_id", copyIds)
        .select("id", "copy_id", "version"),

    /** Before the first chunk goes to the store. Beginning again is fine. */
    async beginCopy({ owner, collectionId, documentId, jobId }: DocumentJob): Promise<void> {
      const row = { id: jobId, collection_id: collectionId, document_id: documentId, owner, state: "pending" };
      await writeBatch(db, [{ query: db("unreferenced_copies").insert(row).onConflict("id").ignore() }]);
    },

    /** Makes the job's copy the document's. False: it was revoked, or a later ingest has had its way. */
    commitCopy(job: DocumentJob, content: StoredContent): Promise<boolean> {
      const { jobId, owner, collectionId, documentId } = job;
      const replaced = { ...content, job_id: jobId, copy_id: jobId, updated_at: now() };
      const row = { id: documentId, owner, collection_id: collectionId, ...replaced, created_at: replaced.updated_at };
      const upsert = db("documents")
        .insert(row)
        .onConflict("id")
        .merge(replaced)
        .where("documents.job_id", "<=", jobId);
      return writeBatch(db, [
        { query: ownCopy(job).where({ state: "pending" }).delete(), guard: true },
        replaceCurrent(job),
        { query: upsert, guard: true },
        revokeEarlier(job),
      ]);
    },

    /** The job brings what is stored already. False: something else is stored by now. */
    confirm: (job: DocumentJob, version: string, metadata: string): Promise<boolean> =>
      writeBatch(db, [
        {
          query: notOvertaken(job).where({ version }).update({ job_id: job.jobId, metadata }),
          guard: true,
        },
        revokeEarlier(job),
      ]),

    /** The job will not make its copy the document's; a copy that is the document's stays that. */
    async abandonCopy(job: DocumentJob): Promise<void> {
      await writeBatch(db, [{ query: ownCopy(job).update({ state: "revoked" }) }]);
    },

    /** The copies that may be taken from the store, those of the job itself among them. */
    unreferencedCopies: async (
      owner: string,
      collectionId: string,
      jobId: string,
    ): Promise<Pick<UnreferencedCopyRow, "id">[]> => {
      const job = db("agent_logs")
        .whereRaw("agent_logs.id = unreferenced_copies.id")
        .whereIn("status", [...TERMINAL_STATUSES]);
      return db<UnreferencedCopyRow>("unreferenced_copies")
        .where({ owner, collection_id: collectionId })
        .where((settled) => settled.where({ state: "replaced" }).orWhere({ id: jobId }).orWhereExists(job))
        .select("id")
        .limit(SWEEP_LIMIT);
    },

    /** Once the store has nothing of it. */
    async forgetCopy(owner: string, id: string): Promise<void> {
      await writeBatch(db, [{ query: db("unreferenced_copies").where({ id, owner }).delete() }]);
    },

    /** Deleting what is gone is fine, and what was stored since stays: a deletion may be tried again minutes later. */
    async deleteDocument(job: DocumentJob): Promise<void> {
      await writeBatch(db, [replaceCurrent(job), revokeEarlier(job), { query: notOvertaken(job).delete() }]);
    },

    /** With its documents. Deleting what is gone is fine. */
    async deleteCollection(owner: string, id: string): Promise<void> {
      await writeBatch(db, [{ query: db("collections").where({ id, owner }).delete() }]);
    },
  };
}
