import type { JobQueue } from "@agent-paas/shared/contract/jobs.ts";
import type { Queue } from "bullmq";

/** The BullMQ queues of jobs, by name. */
export type JobQueues = Readonly<Record<JobQueue, Queue>>;
