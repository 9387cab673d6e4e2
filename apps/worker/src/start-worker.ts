/** Builds the worker's services in the order of their needs; each pushes its release. */
import { JOB_KINDS, type JobKind, MAINTENANCE_QUEUE } from "@agent-paas/shared/contract/jobs.ts";
import { databaseFile, openWritableDatabase } from "@agent-paas/shared/db/open-database.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { connectRedis } from "@agent-paas/shared/redis/connect.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { assertNoEviction } from "@agent-paas/shared/redis/memory.ts";
import { Queue } from "bullmq";
import { openAgentServices } from "./compose/agents.ts";
import type { WorkerConfig } from "./config.ts";
import { startCancelListener } from "./control/cancel-listener.ts";
import { createJobEventPublisher } from "./events/job-event-publisher.ts";
import { createJobClaims } from "./job/job-claims.ts";
import { createJobFinalizer } from "./job/job-finalizer.ts";
import { createJobProcessor } from "./job/job-processor.ts";
import { createRunningJobs } from "./job/running-jobs.ts";
import { createSessionQueue } from "./job/session-queue.ts";
import { createKnowledgeJobs } from "./knowledge/knowledge-jobs.ts";
import { createRetrieverFor } from "./knowledge/retriever.ts";
import { createUploads } from "./knowledge/uploads.ts";
import { startWorkerPresence } from "./presence/worker-presence.ts";
import { createJobWorkers } from "./queue/job-workers.ts";
import { createMaintenanceProcessor } from "./queue/maintenance-processor.ts";
import { createRetention } from "./queue/retention.ts";
import { createFailedJobs } from "./recovery/failed-jobs.ts";
import { createOrphanFinalizer } from "./recovery/orphan-finalizer.ts";
import { startReaper } from "./recovery/reaper.ts";
import { createAgentRunner } from "./run/agent-runner.ts";
import { createJobRepository } from "./storage/job-repository.ts";
import { createJournalRepository } from "./storage/journal-repository.ts";
import { createKnowledgeRepository } from "./storage/knowledge-repository.ts";
import { migrate } from "./storage/migrate.ts";
import { createOrphanedJobRepository } from "./storage/orphaned-job-repository.ts";
import { createRetentionRepository } from "./storage/retention-repository.ts";
import { createSessionRepository } from "./storage/session-repository.ts";
import { startWalCheckpoint } from "./storage/wal-checkpoint.ts";

export async function startWorker(
  config: WorkerConfig,
  name: string,
  logger: Logger,
  releasers: Releasers,
): Promise<void> {
  const file = databaseFile(config.DATABASE_URL);
  const db = openWritableDatabase(file);
  releasers.add("database", () => db.destroy());
  await migrate(db, file);
  const checkpoint = startWalCheckpoint({ db, file, logger });
  releasers.add("checkpoint", () => checkpoint.stop());

  const { model, embedder, store, agents, toolbox } = await openAgentServices(config, logger, releasers);

  const keys = createRedisKeys(config.REDIS_PREFIX);
  const [queueRedis, eventRedis, subscriber] = [
    connectRedis(config.REDIS_URL, "worker", name, logger),
    connectRedis(config.REDIS_URL, "worker", `${name}:events`, logger),
    connectRedis(config.REDIS_URL, "subscriber", name, logger),
  ];
  for (const redis of [queueRedis, eventRedis, subscriber]) releasers.add("redis", () => redis.disconnect());
  await assertNoEviction(queueRedis);

  const openQueue = (queueName: string) => {
    // The API writes the queues' settings; here they are only read from and added to.
    const queue = new Queue(queueName, { connection: queueRedis, prefix: keys.bullmq, skipMetasUpdate: true });
    queue.on("error", (err) => logger.warn({ err, queue: queueName }, "queue error"));
    releasers.add("queue", () => queue.close());
    return queue;
  };
  const queues = Object.fromEntries(JOB_KINDS.map((kind) => [kind, openQueue(kind)])) as Record<JobKind, Queue>;

  const running = createRunningJobs();
  const claims = createJobClaims(eventRedis, keys);
  const turns = createSessionQueue(eventRedis, keys, queues, logger);
  const publisher = createJobEventPublisher({
    redis: eventRedis,
    keys,
    logTtlSeconds: config.EVENT_LOG_TTL_SECONDS,
    logger,
  });
  releasers.add("publisher", () => publisher.close());
  const jobs = createJobRepository(db, name);
  const sessions = createSessionRepository(db);
  const uploads = createUploads(eventRedis, keys, logger);
  const finalizer = createJobFinalizer(jobs, turns, uploads);
  const rows = createOrphanedJobRepository(db, name);
  const unowned = createOrphanFinalizer(claims, publisher, jobs, finalizer, rows);
  const maintenance = openQueue(MAINTENANCE_QUEUE);
  const failedJobs = createFailedJobs(queues, maintenance, claims, rows, logger);
  const retention = createRetention({
    ...{ queues, maintenance, claims, turns, logger },
    rows: createRetentionRepository(db),
    jobDays: config.JOB_RETENTION_DAYS,
    sessionDays: config.SESSION_RETENTION_DAYS,
    intervalSeconds: config.RETENTION_INTERVAL_SECONDS,
  });
  const knowledge = { documents: createKnowledgeRepository(db), store, embedder };
  const runner = createAgentRunner({
    ...{ model, agents, toolbox, sessions },
    journal: createJournalRepository(db),
    retrieverFor: createRetrieverFor(knowledge),
    tasks: createKnowledgeJobs({ ...knowledge, uploads }),
  });

  const cancelListener = startCancelListener(subscriber, keys, claims, running, logger);
  releasers.add("cancel listener", () => cancelListener.stop());

  const processorFor = (deadlineMs: number) =>
    createJobProcessor({ turns, claims, running, publisher, jobs, runner, finalizer, unowned, logger, deadlineMs });
  const workers = createJobWorkers({
    redis: queueRedis,
    prefix: keys.bullmq,
    name,
    concurrency: { chat: config.WORKER_CHAT_CONCURRENCY, execute: config.WORKER_EXECUTE_CONCURRENCY },
    processors: {
      chat: processorFor(config.CHAT_DEADLINE_MS),
      execute: processorFor(config.EXECUTE_DEADLINE_MS),
    },
    maintenance: createMaintenanceProcessor({ queues, unowned, sessions, claims, publisher, retention }),
    onFailed: failedJobs.listener,
    running,
    logger,
  });
  releasers.add("job workers", () => workers.stop(config.SHUTDOWN_GRACE_MS));
  await workers.start();
  const reaper = startReaper({ redis: queueRedis, keys, rows, unowned, failedJobs, retention, logger });
  releasers.add("reaper", () => reaper.stop());

  const manifests = () => agents.manifests(toolbox.names());
  const heartbeat = await startWorkerPresence(queueRedis, keys, `${name}:${newId()}`, manifests, logger);
  releasers.add("heartbeat", () => heartbeat.stop());
  logger.info({ agents: manifests().map(({ id }) => id), model: config.LLM_MODEL }, "worker ready");
}
