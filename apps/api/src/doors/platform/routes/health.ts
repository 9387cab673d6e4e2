/** GET /health, /livez, /readyz: public, and probing what requests really use, not a PING. */
import { JOB_KINDS } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { evictionProblem } from "@agent-paas/shared/redis/memory.ts";
import { VERSION } from "@agent-paas/shared/version.ts";
import type { Route } from "../../../http/route.ts";
import { isNearlyFull } from "../../../queue/admission.ts";
import type { Services } from "../../../services.ts";

type Check = { status: "up" | "degraded" | "down" | "not_configured"; [detail: string]: unknown };

type Health = { status: "ok" | "degraded" | "down"; version: string; checks: Record<string, Check> };

const VECTOR_STORE_TIMEOUT_MS = 1_000;
const SHORT_OF_MEMORY: Check = { status: "degraded", reason: "its memory is nearly full" };

export const getHealth = (services: Services): Route => ({
  method: "get",
  path: "/health",
  access: "public",
  async handle(_req, res) {
    const health = await checkHealth(services);
    res.status(health.status === "down" ? 503 : 200).json(health);
  },
});

/** Alive: the process answers. */
export const getLivez = (): Route => ({
  method: "get",
  path: "/livez",
  access: "public",
  handle: (_req, res) => void res.json({ status: "ok" }),
});

/**
 * Ready: it can accept jobs, because Redis takes them. It stays so while the queue is full: every API would be taken out
 * of service, and with them the streams of the jobs that make room.
 */
export const getReadyz = (services: Services): Route => ({
  method: "get",
  path: "/readyz",
  access: "public",
  async handle(_req, res) {
    const { status, reason } = await checkRedis(services);
    res.status(status === "down" ? 503 : 200).json({ status: status === "down" ? "down" : "ok", reason });
  },
});

/**
 * Without Redis, or with one that evicts, nothing is accepted: down. Without workers, tables or vectors jobs still wait
 * safely, and without room those that were accepted do: degraded.
 */
async function checkHealth(services: Services): Promise<Health> {
  const [redis, database, vector_store, workers, queues] = await Promise.all([
    checkRedis(services),
    checkDatabase(services),
    checkVectorStore(services),
    checkWorkers(services),
    checkQueues(services),
  ]);
  const checks = { redis, database, vector_store, workers, queues };
  const status =
    redis.status === "down"
      ? "down"
      : Object.values(checks).some(({ status }) => status === "down" || status === "degraded")
        ? "degraded"
        : "ok";
  return { status, version: VERSION, checks };
}

/** A write and its reading, as accepting a job needs them, and whether there is room for what is accepted. */
async function checkRedis({ producer }: Services): Promise<Check> {
  const startedAt = performance.now();
  try {
    await producer.probe();
    const latency_ms = Math.round((performance.now() - startedAt) * 10) / 10;
    const memory = await producer.admission.memory();
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

async function checkDatabase({ database }: Services): Promise<Check> {
  try {
    const tables = await database.read(
      (db) =>
        db("agent_logs")
          .select("id")
          .limit(1)
          .then(() => true),
      false,
    );
    return tables ? { status: "up" } : { status: "down", reason: "no worker has made it yet" };
  } catch {
    return { status: "down" };
  }
}

async function checkVectorStore({ config }: Services): Promise<Check> {
  if (config.CHROMA_URL === undefined) return { status: "not_configured" };
  try {
    const url = new URL("/api/v2/heartbeat", config.CHROMA_URL);
    const answer = await fetch(url, { signal: AbortSignal.timeout(VECTOR_STORE_TIMEOUT_MS) });
    return { status: answer.ok ? "up" : "down" };
  } catch {
    return { status: "down" };
  }
}

async function checkWorkers({ agentCatalog }: Services): Promise<Check> {
  try {
    const { liveWorkers } = await agentCatalog.refresh();
    return { status: liveWorkers > 0 ? "up" : "down", live: liveWorkers };
  } catch {
    return { status: "down", live: 0 };
  }
}

async function checkQueues({ producer }: Services): Promise<Check> {
  try {
    const depths = await Promise.all(
      JOB_KINDS.map(async (kind) => {
        const { waiting, active, delayed, failed } = await producer.queues[kind].getJobCounts();
        return [kind, { waiting, active, delayed, failed }] as const;
      }),
    );
    const isFull = depths.some(
      ([, { waiting = 0, delayed = 0 }]) => waiting + delayed >= producer.admission.maxQueuedJobs,
    );
    return { status: isFull ? "degraded" : "up", ...Object.fromEntries(depths) };
  } catch {
    return { status: "down" };
  }
}
