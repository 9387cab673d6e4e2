/** GET /health, /livez, /readyz: anybody may ask, so they tell statuses only; a caller with a key gets the details. */

import { SECOND } from "@agent-paas/shared/time.ts";
import { VERSION } from "@agent-paas/shared/version.ts";
import { z } from "zod";
import type { Route } from "../../../http/door.ts";
import { jsonResponse } from "../../../http/operation.ts";
import type { Services } from "../../../services.ts";
import { CheckSchema, checkHealth, type Health, HealthStatusSchema } from "../health-checks.ts";

/** How long one check answers all who ask: what anybody may ask for must not cost Redis anything per request. */
const VALID_FOR_MS = SECOND;

const HealthSchema = z
  .object({
    status: HealthStatusSchema,
    version: z.string().optional().describe("For a caller with a key."),
    checks: z.object({
      redis: CheckSchema,
      database: CheckSchema,
      vector_store: CheckSchema,
      workers: CheckSchema,
      queues: CheckSchema,
    }),
  })
  .meta({ id: "Health" });

const ReadinessSchema = z.object({
  status: z.enum(["ok", "down"]),
  reason: z.string().optional().describe("Why not, for a caller with a key."),
});

const getHealth = (health: ReadHealth): Route => ({
  method: "get",
  path: "/health",
  access: "optional_key",
  operation: {
    id: "getHealth",
    tag: "Health",
    summary: "What works and what does not",
    description: "Statuses for anybody; with a key, the details.",
    responses: {
      200: jsonResponse("Jobs are accepted, although something may be degraded.", HealthSchema),
      503: jsonResponse("Nothing is accepted.", HealthSchema),
    },
  },
  async handle(_req, res, caller) {
    const { status, checks } = await health();
    const code = status === "down" ? 503 : 200;
    res.status(code).json(caller === null ? { status, checks: plain(checks) } : { status, version: VERSION, checks });
  },
});

/** Alive: the process responds. */
const getLivez = (): Route => ({
  method: "get",
  path: "/livez",
  access: "public",
  operation: {
    id: "getLivez",
    tag: "Health",
    summary: "Whether the process responds",
    responses: { 200: jsonResponse("It does.", z.object({ status: z.literal("ok") })) },
  },
  handle: (_req, res) => void res.json({ status: "ok" }),
});

/**
 * Ready: Redis takes jobs, an agent is known, the database is the installation's, and a worker can write it, so this
 * process can accept jobs. A full queue does not change that; otherwise every API would be taken out of service, and
 * with it the streams of the jobs whose end makes room. Nor do workers that went away: jobs for their agents are
 * accepted and wait.
 */
const getReadyz = (health: ReadHealth): Route => ({
  method: "get",
  path: "/readyz",
  access: "optional_key",
  operation: {
    id: "getReadyz",
    tag: "Health",
    summary: "Whether this process can accept jobs",
    responses: { 200: jsonResponse("It can.", ReadinessSchema), 503: jsonResponse("It cannot.", ReadinessSchema) },
  },
  async handle(_req, res, caller) {
    const { notReady } = await health();
    const reason = caller === null ? undefined : notReady?.reason;
    res.status(notReady === null ? 200 : 503).json({ status: notReady === null ? "ok" : "down", reason });
  },
});

export function healthRoutes(services: Services): readonly Route[] {
  const health = createHealthReader(services);
  return [getHealth(health), getLivez(), getReadyz(health)];
}

const plain = (checks: Health["checks"]) =>
  Object.fromEntries(Object.entries(checks).map(([name, { status }]) => [name, { status }]));

type ReadHealth = () => Promise<Health>;

/**
 * Concurrent callers share one check, and so do those of the next second. A connection to Redis that was lost or made
 * since ends the validity of a check at once.
 */
function createHealthReader(services: Services): ReadHealth {
  let latest: { readonly health: Promise<Health>; readonly at: number; readonly isConnected: boolean } | null = null;
  return () => {
    const isConnected = services.redis.isConnected();
    const now = performance.now();
    if (latest === null || latest.isConnected !== isConnected || now - latest.at >= VALID_FOR_MS) {
      latest = { health: checkHealth(services), at: now, isConnected };
    }
    return latest.health;
  };
}
