import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { KnowledgeInput, KnowledgeJobId } from "@agent-paas/shared/contract/knowledge.ts";
import type { SystemJobContext } from "../run/system-job.ts";

/** One run of a knowledge job; `input` is the payload's, checked. */
export type KnowledgeRun<Id extends KnowledgeJobId> = {
  readonly payload: JobPayload;
  readonly input: KnowledgeInput<Id>;
  readonly context: SystemJobContext;
};
