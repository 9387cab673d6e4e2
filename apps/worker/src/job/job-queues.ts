import type { JobKind } from "@agent-paas/shared/contract/jobs.ts";
import type { Queue } from "bullmq";

/** The BullMQ queues of jobs, by kind. */
export type JobQueues = Readonly<Record<JobKind, Queue>>;
