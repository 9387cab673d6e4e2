/**
 * Ends that Redis has lost although it confirmed them, in a failover or a crash (I1). What a worker sends after an end,
 * above all that its queue may drop the job, is sent again to the server that has lost the end; then no queue has the
 * job, and nothing else would publish its end, or take its entry out of its session's queue. So a worker keeps the ends
 * of the last minutes in mind, and looks at them whenever one of its connections has come back.
 *
 * Nobody looks at the ends of a worker that dies in the same moments; their readers get them from the rows.
 */
import { setTimeout as delay } from "node:timers/promises";
import { chunksOf } from "@agent-paas/shared/chunks-of.ts";
import { SalvagedPayloadSchema } from "@agent-paas/shared/contract/jobs.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { logRepeatedly } from "@agent-paas/shared/logging/repeated-warnings.ts";
import { connectionsOf, type RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { JobEventPublisher } from "../events/job-event-publisher.ts";
import { NO_SIGNALS } from "../events/job-event-writer.ts";
import type { JobClaims } from "../job/job-claims.ts";
import type { JobFinalizer } from "../job/job-finalizer.ts";
import type { EndedJob } from "../job/places.ts";
import type { RecentEnds } from "../job/recent-ends.ts";
import type { JobRepository } from "../storage/job-repository.ts";

/** Connections come back one after the other. */
const LOOKS_AFTER_MS = SECOND;
const LOOKS_AT_ONCE = 50;

export type LostEndsDeps = {
  /** Over which ends are published and looked for. */
  readonly connections: readonly RedisConnection[];
  readonly recentEnds: Pick<RecentEnds, "all">;
  readonly claims: Pick<JobClaims, "endPublication" | "takeOver">;
  readonly publisher: Pick<JobEventPublisher, "open">;
  readonly finalizer: Pick<JobFinalizer, "restoreEnd" | "leaveQueues">;
  readonly jobs: Pick<JobRepository, "findEnded">;
  readonly logger: Logger;
};

export function watchLostEnds(deps: LostEndsDeps): { stop(): void } {
  const { recentEnds, claims, publisher, finalizer, jobs, logger } = deps;
  const connections = deps.connections.flatMap(connectionsOf);
  const stopped = new AbortController();
  const { signal } = stopped;
  let isDue = false;
  let looking = Promise.resolve();

  async function look(job: EndedJob): Promise<void> {
    const publication = await claims.endPublication(job.job_id);
    if (publication === "published") return finalizer.leaveQueues(job);
    // Without its claim, Redis has lost all of its log.
    if (publication === "pending") await publishAgain(job);
  }

  async function publishAgain({ job_id: jobId }: EndedJob): Promise<void> {
    const row = await jobs.findEnded(jobId);
    const leastToken = (row?.fencing_token ?? 0) + 1;
    const claim = row && (await claims.takeOver({ jobId, leastToken, minAgeSeconds: 0 }));
    if (row === null || claim === null) return;
    const { fencingToken, fence: seq, lastSeq } = claim;
    const writer = publisher.open({ jobId, fencingToken, seq, signals: NO_SIGNALS });
    await finalizer.restoreEnd(SalvagedPayloadSchema.parse({ ...row, job_id: jobId }), writer, row, lastSeq);
    logger.warn({ job_id: jobId }, "the end of a job is published again: Redis had lost it");
  }

  async function lookAtAll(): Promise<void> {
    for (const some of chunksOf(recentEnds.all(), LOOKS_AT_ONCE)) {
      const looks = some.map((job) =>
        look(job).catch((err: unknown) =>
          logRepeatedly(logger, "warn", { err, job_id: job.job_id }, "whether Redis has a job's end is not known"),
        ),
      );
      await Promise.all(looks);
      if (signal.aborted) return;
    }
  }

  /** One look for all connections that come back at about the same time, and one after the other. */
  async function onReady(): Promise<void> {
    if (isDue) return;
    isDue = true;
    await delay(LOOKS_AFTER_MS, undefined, { signal }).catch(() => {});
    await looking;
    isDue = false;
    if (!signal.aborted) looking = lookAtAll();
  }
  const listener = () => void onReady();
  for (const connection of connections) connection.on("ready", listener);

  return {
    stop() {
      for (const connection of connections) connection.off("ready", listener);
      stopped.abort();
    },
  };
}
