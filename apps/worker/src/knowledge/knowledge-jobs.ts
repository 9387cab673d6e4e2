/**
 * The system jobs behind the knowledge routes. All of them are idempotent: a later attempt repeats nothing that is
 * done.
 */
import type { AgentRun } from "@agent-paas/agents/agent/agent.ts";
import { thought } from "@agent-paas/agents/agent/events.ts";
import type { DocumentReader } from "@agent-paas/agents/documents/read-document.ts";
import type { VectorStore } from "@agent-paas/agents/retrieval/vector-store.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { KNOWLEDGE_JOBS, type KnowledgeInput, type KnowledgeJobId } from "@agent-paas/shared/contract/knowledge.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { SystemJobContext, SystemJobs } from "../run/system-job.ts";
import { ingest } from "./ingest.ts";
import type { KnowledgeRun } from "./knowledge-run.ts";
import { createSearchFor, type KnowledgeDeps, requireStore } from "./retriever.ts";
import { createLocalTurns, type StoreTurns } from "./store-turns.ts";
import { KNOWLEDGE_TEXTS } from "./texts.ts";
import { removeUnreferencedCopies } from "./unreferenced-copies.ts";
import type { Uploads } from "./uploads.ts";
import { createWriteGroups } from "./write-groups.ts";

export type KnowledgeJobDeps = KnowledgeDeps & {
  readonly uploads: Uploads;
  readonly reader: DocumentReader;
  /** Default: one write at a time in this process, whatever others write. */
  readonly turns?: StoreTurns;
};

type KnowledgeJob<Id extends KnowledgeJobId> = (store: VectorStore, run: KnowledgeRun<Id>) => AgentRun;

export function createKnowledgeJobs({
  uploads,
  reader,
  turns = createLocalTurns(),
  ...deps
}: KnowledgeJobDeps): SystemJobs {
  const { documents, embedder } = deps;
  const searchFor = createSearchFor(deps);

  /** Made once, because the jobs that write at the same time meet in them. */
  const groups = createWriteGroups(turns);

  const systemJob = <Id extends KnowledgeJobId>(id: Id, job: KnowledgeJob<Id>) =>
    [
      id,
      (payload: JobPayload, context: SystemJobContext) =>
        job(requireStore(deps.store), { payload, input: parseInput(id, payload.input), context }),
    ] as const;

  return new Map([
    systemJob("knowledge.ingest", (store, run) =>
      ingest({ documents, store, embedder, uploads, reader, turns, groups }, run),
    ),

    systemJob("knowledge.delete_document", async function* (store, { payload, input, context }) {
      const { owner, job_id: jobId, locale } = payload;
      const job = { owner, jobId, collectionId: input.collection_id, documentId: input.document_id };
      await documents.deleteDocument(job);
      yield thought("status", KNOWLEDGE_TEXTS[locale].clearing);
      await removeUnreferencedCopies({ documents, store, turns }, job, context.signal);
    }),

    systemJob("knowledge.delete_collection", async function* (store, { payload, input, context }) {
      const { owner, locale } = payload;
      await documents.deleteCollection(owner, input.collection_id);
      yield thought("status", KNOWLEDGE_TEXTS[locale].clearing);
      await store.deleteCollection(input.collection_id, context.signal);
    }),

    systemJob("knowledge.query", async function* (store, { payload, input, context }) {
      const { owner, locale } = payload;
      if ("copy_id" in input) {
        const { collection_id, copy_id, document, from, limit } = input;
        const found = await store.chunksFrom(collection_id, copy_id, { from, limit }, context.signal);
        if (found.length < Math.min(limit, document.total - from)) {
          const current = await documents.currentCopies(owner, collection_id, [copy_id]);
          if (current.length === 0) throw new PlatformError("document_not_found");
        }
        const chunks = found.map(({ position, heading, content: text }) => ({ position, heading, text }));
        return { data: { ...document, chunks } };
      }
      const { collection, query, top_k: topK, min_score: minScore } = input;
      yield thought("status", KNOWLEDGE_TEXTS[locale].searching(collection));
      return { data: await searchFor(owner)({ collection, query, topK, minScore }, context.signal) };
    }),
  ]);
}

function parseInput<Id extends KnowledgeJobId>(id: Id, input: unknown): KnowledgeInput<Id> {
  const parsed = KNOWLEDGE_JOBS[id].safeParse(input);
  if (parsed.success) return parsed.data as KnowledgeInput<Id>;
  throw new PlatformError("job_invalid", { cause: parsed.error });
}
