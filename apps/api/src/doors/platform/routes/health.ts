/** GET /health, /livez, /readyz: public. They probe what requests use, because a PING may succeed where these fail. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { evictionProblem } from "@agent-paas/shared/redis/memory.ts";
import { VERSION } from "@agent-paas/shared/version.ts";
import type { Route } from "../../../http/door.ts";
import { isNearlyFull } from "../../../queue/admission.ts";
import type { Services } from "../../../services.ts";
import { hasTables } from "../../../storage/has-tables.ts";

type Check = { status: "up" | "degraded" | "down" | "not_configured"; [detail: string]: unknown };

type Health = { status: "ok" | "degraded" | "down"; version: string; checks: Record<string, Check> };

const VECTOR_STORE_TIMEOUT_MS = 1_000;
const WRITES_REFUSED = "no worker can write it: its disk is full or fails, or it is locked";
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

/** Alive: the process responds. */
export const getLivez = (): Route => ({
  method: "get",
  path: "/livez",
  access: "public",
  handle: (_req, res) => void res.json({ status: "ok" }),
});

/**
 * Ready: Redis takes jobs, the database is the installation's, and a worker can write it, so this process can accept
 * jobs. A full queue does not change that; otherwise every API would be taken out of service, and with it the streams
 * of the jobs whose end makes room.
 */
export const getReadyz = (services: Services): Route => ({
  method: "get",
  path: "/readyz",
  access: "public",
  async handle(_req, res) {
    const [redis, cannotWrite] = await Promise.all([checkRedis(services), areWritesRefused(services)]);
    const problem = services.databaseProblem() ?? (cannotWrite ? WRITES_REFUSED : null);
    const isDown = redis.status === "down" || problem !== null;
    const reason = redis.status === "down" ? redis.reason : (problem ?? redis.reason);
    res.status(isDown ? 503 : 200).json({ status: isDown ? "down" : "ok", reason });
  },
});

/**
 * Down: nothing is accepted, because Redis is away or evicts, the database is not the installation's, or no worker can
 * write it. Degraded:
 * accepted jobs are safe, but they wait for workers, tables or vectors, or new ones are refused.
 */
async function checkHealth(services: Services): Promise<Health> {
  const [redis, cannotWrite, readable, vector_store, workers, queues] = await Promise.all([
    checkRedis(services),
    areWritesRefused(services),
    checkDatabase(services),
    checkVectorStore(services),
    checkWorkers(services),
    checkQueues(services),
  ]);
  const database: Check = cannotWrite ? { status: "down", reason: WRITES_REFUSED } : readable;
  const checks = { redis, database, vector_store, workers, queues };
  const status =
    redis.status === "down" || cannotWrite || services.databaseProblem() !== null
      ? "down"
      : Object.values(checks).some(({ status }) => status === "down" || status === "degraded")
        ? "degraded"
        : "ok";
  return { status, version: VERSION, checks };
}

/** A write, a read, and whether Redis has the memory that accepted jobs need. */
async function checkRedis({ queues, admission }: Services): Promise<Check> {
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

/** As the workers say, who alone write; false while Redis, which says it, is away. */
const areWritesRefused = ({ agentCatalog }: Services): Promise<boolean> =>
  agentCatalog.cannotWrite().catch(() => false);

/** Whether it can be read. */
async function checkDatabase({ database, databaseProblem }: Services): Promise<Check> {
  try {
    return (await hasTables(database)) ? { status: "up" } : { status: "down", reason: "no worker has made it yet" };
  } catch {
    const reason = databaseProblem();
    return reason === null ? { status: "down" } : { status: "down", reason };
  }
}

async function checkVectorStore({ config }: Services): Promise<Check> {
  if (config.CHROMA_URL === undefined) return { status: "not_configured" };
  try {
    const url = new URL("/api/v2/heartbeat", config.CHROMA_URL);
    const response = await fetch(url, { signal: AbortSignal.timeout(VECTOR_STORE_TIMEOUT_MS) });
    return { status: response.ok ? "up" : "down" };
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

async function checkQueues({ queues, admission }: Services): Promise<Check> {
  try {
    const counts = await queues.counts();
    return { status: Object.values(counts).some(admission.isFull) ? "degraded" : "up", ...counts };
  } catch {
    return { status: "down" };
  }
}
