/** All services of the API, built in one place (`start-api.ts`) and handed to every route. */
import type { ApiConfig } from "./config.ts";
import type { JobEventFanout } from "./events/job-event-fanout.ts";
import type { SseDeps } from "./http/sse-stream.ts";
import type { AgentCatalog } from "./presence/agent-catalog.ts";
import type { JobProducer } from "./queue/job-producer.ts";
import type { QueuedJobs } from "./queue/queued-jobs.ts";
import type { ReadDatabase } from "./storage/database.ts";
import type { JobReader } from "./storage/job-reader.ts";
import type { KnowledgeReader } from "./storage/knowledge-reader.ts";
import type { SessionReader } from "./storage/session-reader.ts";

export type Services = {
  readonly config: ApiConfig;
  readonly database: ReadDatabase;
  readonly jobs: JobReader;
  readonly sessions: SessionReader;
  readonly knowledge: KnowledgeReader;
  readonly queuedJobs: QueuedJobs;
  readonly producer: JobProducer;
  readonly agentCatalog: AgentCatalog;
  readonly fanout: JobEventFanout;
  readonly sse: SseDeps;
};
