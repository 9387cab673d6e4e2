/**
 * Presence: what each worker publishes in Redis about itself and its agents. The API builds its agent catalog from
 * it, so a new agent needs no new API.
 */
import { z } from "zod";
import { DAY, SECOND } from "../time.ts";

/** How often a worker finds out what it offers, and publishes its manifests, ms. */
export const PRESENCE_INTERVAL_MS = 2 * SECOND;

/**
 * The age of the last heartbeat at which the API counts a worker as gone, ms: four heartbeats. Other workers remove the
 * record of a dead one about as fast; this is for the last worker, which leaves nobody behind.
 */
export const WORKER_TTL_MS = 4 * SECOND;

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
  /** False: the agent also works without a message. Absent: it needs one. */
  needs_message: z.boolean().optional(),
  /** Tools that a server lists for it and that cannot be offered. Workers of earlier versions do not say. */
  unavailable_tools: z.array(z.object({ name: z.string(), reason: z.string() })).default([]),
  /** Whether requests may bring tools that their client runs. Workers of earlier versions do not say. */
  client_tools: z.boolean().default(false),
});
export type AgentManifest = z.infer<typeof AgentManifestSchema>;

/** By queue: how many jobs a worker runs at once, and how many of them for one owner alone. */
const WorkerSlotsSchema = z.record(z.string(), z.object({ all: z.number(), own: z.number() }));
export type WorkerSlots = z.infer<typeof WorkerSlotsSchema>;

/**
 * One worker and the ids of its agents. It is stored as `<ms since 1970> <JSON>`: the time of the last heartbeat by the
 * clock of Redis, so the clocks of the machines need not agree. 0: the worker has given its locks up.
 */
export const WorkerRecordSchema = z.object({
  id: z.string(),
  agents: z.array(z.string()),
  /** False while the database refuses the worker's writes. Workers of earlier versions do not say. */
  can_write: z.boolean().default(true),
  slots: WorkerSlotsSchema.default({}),
  /** By queue: how the tokens of the worker's locks begin. Without it nobody takes the worker's jobs over. */
  locks: z.record(z.string(), z.string()).default({}),
  /** It takes no more jobs, and counts as gone for all but those that it still runs. */
  stopping: z.boolean().default(false),
  /** Its main thread has stood still for seconds; it keeps its jobs. */
  busy: z.boolean().default(false),
});
export type WorkerRecord = z.infer<typeof WorkerRecordSchema>;
