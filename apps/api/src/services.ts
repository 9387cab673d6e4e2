/** All services of the API: built in `compose/`, listed here, passed to the routes of every door. */
import type { ReadStorage } from "@agent-paas/shared/db/storage.ts";
import type { InstallationClock } from "@agent-paas/shared/redis/clock.ts";
import type { ApiConfig } from "./config.ts";
import type { FollowerDeps } from "./events/job-event-follower.ts";
import type { OpenResponses } from "./events/open-responses.ts";
import type { SendWindows } from "./events/send-windows.ts";
import type { StreamShare } from "./events/stream-share.ts";
import type { AgentCatalog } from "./presence/agent-catalog.ts";
import type { PlatformMetrics } from "./presence/platform-metrics.ts";
import type { Accept } from "./queue/accept-request.ts";
import type { AcceptedJobs } from "./queue/accepted-jobs.ts";
import type { Admission } from "./queue/admission.ts";
import type { Cancellation } from "./queue/cancel.ts";
import type { DecisionMaker } from "./queue/decide.ts";
import type { QueuedJobs } from "./queue/queued-jobs.ts";
import type { Queues } from "./queue/queues.ts";
import type { SessionQueues } from "./queue/sessions.ts";
import type { JobReader } from "./storage/job-reader.ts";
import type { KnowledgeReader } from "./storage/knowledge-reader.ts";
import type { SessionReader } from "./storage/session-reader.ts";
import type { SearchSessions } from "./storage/session-search.ts";

export type StorageServices = {
  readonly database: ReadStorage;
  /** Why the database must not be used, as health may say it; null while it may, or cannot be told. */
  databaseProblem(): string | null;
  /** Throws `database_unavailable` while there is such a reason. */
  assertDatabaseUsable(): void;
  readonly jobs: JobReader;
  readonly sessions: SessionReader;
  readonly knowledge: KnowledgeReader;
  readonly searchSessions: SearchSessions;
};

export type QueueServices = {
  readonly accept: Accept;
  readonly acceptedJobs: AcceptedJobs;
  readonly cancellation: Pick<Cancellation, "request">;
  readonly decisions: DecisionMaker;
  readonly admission: Pick<Admission, "memory" | "isFull">;
  readonly queues: Pick<Queues, "counts" | "probe">;
  readonly queuedJobs: QueuedJobs;
  readonly sessionQueues: Pick<SessionQueues, "delete" | "rename" | "findPending" | "isIdle" | "isDeleted">;
};

/** What following a job's events, or waiting for its end, takes. */
export type EventServices = FollowerDeps & {
  readonly openResponses: OpenResponses;
  readonly sendWindows: Pick<SendWindows, "open">;
};

export type Services = StorageServices &
  QueueServices & {
    readonly config: ApiConfig;
    readonly clock: InstallationClock;
    /** Whether every connection to Redis is up: after an outage they return one by one. */
    readonly redis: { isConnected(): boolean };
    readonly agentCatalog: AgentCatalog;
    readonly metrics: PlatformMetrics;
    readonly events: EventServices;
    readonly streamShare: StreamShare;
  };
