/** How workers tell the API what they offer: through Redis, refreshed by a heartbeat, so a new agent needs no new API. */
import { z } from "zod";
import { SECOND } from "../time.ts";

export const HEARTBEAT_INTERVAL_MS = 2 * SECOND;

/** A worker that has been silent for so long counts as gone. */
export const WORKER_TTL_MS = 10 * SECOND;

export const AgentManifestSchema = z.object({
  id: z.string(),
  description: z.string(),
  /** JSON Schema (draft 2020-12) of the agent's `config`. */
  config_schema: z.record(z.string(), z.unknown()),
  tools: z.array(z.string()),
});
export type AgentManifest = z.infer<typeof AgentManifestSchema>;

/** Stored as `<epoch ms by the clock of Redis> <JSON>`, so that the clocks of machines need not agree. */
export const WorkerRecordSchema = z.object({ id: z.string(), agents: z.array(z.string()) });
