/** What GET /health reports. It probes what requests use, because a PING may succeed where these fail. */

import { chromaHeaders } from "@agent-paas/shared/config/common-config.ts";
import { JOB_QUEUES } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { evictionProblem } from "@agent-paas/shared/redis/memory.ts";
import { DAY } from "@agent-paas/shared/time.ts";
import { z } from "zod";
import { NO_AGENT_KNOWN } from "../../presence/agent-catalog.ts";
import { isNearlyFull } from "../../queue/admission.ts";
import type { Services } from "../../services.ts";
import { hasTables } from "../../storage/has-tables.ts";

/** A caller with a key gets details beside the status. */
export const CheckSchema = z.looseObject({ status: z.enum(["up", "degraded", "down", "not_configured"]) });
export type Check = Readonly<z.infer<typeof CheckSchema>>;

export const HealthStatusSchema = z.enum(["ok", "degraded", "down"]);

export type Health = {
  readonly status: z.infer<typeof HealthStatusSchema>;
  readonly checks: Readonly<Record<"redis" | "database" | "vector_store" | "workers" | "queues", Check>>;
  /** Why this process cannot accept jobs; null if it can. */
  readonly notReady: Check | null;
};

const VECTOR_STORE_TIMEOUT_MS = 1_000;
const WRITES_REFUSED = "no worker can write it: its disk is full or fails, or it is locked";
const SHORT_OF_MEMORY: Check = { status: "degraded", reason: "its memory is nearly full" };
const FAILED_WITHIN_MS = DAY;

/**
 * Down: nothing is accepted, because Redis is away or evicts, the database is not the installation's, or no worker can
 * write it, or nothing has run for a while, because no worker is live. Degraded: accepted jobs are safe, but they wait
 * for workers, tables or vectors, or new ones are refused.
 */
export async function checkHealth(services: Services): Promise<Health> {
  const [redis, readable, vector_store, { workers, isKnown, isOverdue, cannotWrite }, queues] = await Promise.all([
    checkRedis(services),
    checkDatabase(services),
    checkVectorStore(services),
    checkWorkers(services),
    checkQueues(services),
  ]);
  const problem = services.databaseProblem() ?? (cannotWrite ? WRITES_REFUSED : null);
  const database: Check = problem === null ? readable : { status: "down", reason: problem };
  const checks = { redis, database, vector_store, workers, queues };
  const isImpaired = Object.values(checks).some(({ status }) => status === "down" || status === "degraded");
  const refusing = redis.status === "down" ? redis : problem === null ? null : database;
  return {
    status: refusing !== null || isOverdue ? "down" : isImpaired ? "degraded" : "ok",
    checks,
    notReady: refusing ?? (isKnown ? null : { status: "down", reason: NO_AGENT_KNOWN }),
  };
}

/** Its connections, a write, a read, and whether Redis has the memory that accepted jobs need. */
async function checkRedis({ redis, queues, admission }: Services): Promise<Check> {
  if (!redis.isConnected()) return { status: "down" };
  const startedAt = performance.now();
  try {
    await queues.probe();
    const latency_ms = Math.round((performance.now() - startedAt) * 10) / 10;
    const memory = await admission.memory();
    const problem = evictionProblem(memory);
    if (problem !== null) return { status: "down", reason: problem };
    return {
      ...(isNearlyFull(memory) ? SHORT_OF_MEMORY : { status: "up" }),
      latency_ms,
      used_memory_bytes: memory.usedBytes,
      max_memory_bytes: memory.maxBytes === 0 ? null : memory.maxBytes,
    };
  } catch (error) {
    return error instanceof PlatformError && error.code === "queue_full" ? SHORT_OF_MEMORY : { status: "down" };
  }
}

/** Whether it can be read. */
async function checkDatabase({ database }: Services): Promise<Check> {
  try {
    return (await hasTables(database)) ? { status: "up" } : { status: "down", reason: "no worker has made it yet" };
  } catch {
    return { status: "down" };
  }
}

async function checkVectorStore({ config }: Services): Promise<Check> {
  if (config.CHROMA_URL === undefined) return { status: "not_configured" };
  try {
    const url = new URL("/api/v2/heartbeat", config.CHROMA_URL);
    const signal = AbortSignal.timeout(VECTOR_STORE_TIMEOUT_MS);
    const response = await fetch(url, { headers: chromaHeaders(config), signal });
    await response.body?.cancel();
    return { status: response.ok ? "up" : "down" };
  } catch {
    return { status: "down" };
  }
}

async function checkWorkers({ agentCatalog, config }: Services) {
  try {
    const { liveWorkers, busyWorkers, agents, silentMs, cannotWrite } = await agentCatalog.refresh();
    const workers: Check = { status: liveWorkers > 0 ? "up" : "down", live: liveWorkers, busy: busyWorkers };
    const isOverdue = liveWorkers === 0 && silentMs >= config.NO_WORKER_GRACE_MS;
    return { workers, isKnown: agents.size > 0, isOverdue, cannotWrite };
  } catch {
    const workers: Check = { status: "down", live: 0, busy: 0 };
    return { workers, isKnown: false, isOverdue: false, cannotWrite: false };
  }
}

async function checkQueues({ queues, admission, jobs, clock }: Services): Promise<Check> {
  try {
    const since = new Date(clock.now() - FAILED_WITHIN_MS);
    const [counts, suspended, failed] = await Promise.all([
      queues.counts(),
      jobs.countSuspended().catch(() => null),
      // The queues are up also when the database cannot be read.
      Promise.all(JOB_QUEUES.map((queue) => jobs.countFailed(queue, since).catch(() => null))),
    ]);
    const status = Object.values(counts).some(admission.isFull) ? "degraded" : "up";
    return {
      status,
      suspended,
      ...Object.fromEntries(JOB_QUEUES.map((queue, at) => [queue, { ...counts[queue], failed: failed[at] }])),
    };
  } catch {
    return { status: "down" };
  }
}
