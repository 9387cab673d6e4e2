/**
 * Presence: what each worker publishes in Redis about itself and its agents. The API builds its agent catalog from
 * it, so a new agent needs no new API.
 */
import { z } from "zod";
import { DAY, SECOND } from "../time.ts";

/** How often a worker renews its presence, ms. */
export const HEARTBEAT_INTERVAL_MS = 2 * SECOND;

/**
 * The age of the last heartbeat at which a worker counts as gone, ms. Five intervals, so that a worker that is busy
 * for a few seconds stays in the catalog.
 */
export const WORKER_TTL_MS = 10 * SECOND;

/**
 * How long Redis keeps the manifests after the last heartbeat of any worker, ms. Every heartbeat sets this expiry anew,
 * so what is left of it tells how long no worker has been heard.
 */
export const KEEP_MANIFESTS_MS = 7 * DAY;

/** What a worker publishes about one agent. */
export const AgentManifestSchema = z.object({
  /** The `agent_type` of requests for this agent. It contains no dot: ids with a dot name system jobs. */
  id: z.string(),
  description: z.string(),
  /** JSON Schema (draft 2020-12) of the agent's `config`. The API validates requests with it. */
  config_schema: z.record(z.string(), z.unknown()),
  /** The names of the tools that the agent may call. */
  tools: z.array(z.string()),
});
export type AgentManifest = z.infer<typeof AgentManifestSchema>;

/** By queue: how many jobs a worker runs at once, and how many of them for one owner alone. */
const WorkerSlotsSchema = z.record(z.string(), z.object({ all: z.number(), own: z.number() }));
export type WorkerSlots = z.infer<typeof WorkerSlotsSchema>;

/**
 * One worker and the ids of its agents. It is stored as `<ms since 1970> <JSON>`; the time comes from the clock of
 * Redis, so the clocks of the machines need not agree.
 */
export const WorkerRecordSchema = z.object({
  id: z.string(),
  agents: z.array(z.string()),
  /** False while the database refuses the worker's writes. Workers of earlier versions do not say. */
  can_write: z.boolean().default(true),
  slots: WorkerSlotsSchema.default({}),
});
