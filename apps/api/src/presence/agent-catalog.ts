/** What live workers offer, read from the presence that they keep in Redis. */
import {
  type AgentManifest,
  AgentManifestSchema,
  WORKER_TTL_MS,
  WorkerRecordSchema,
} from "@agent-paas/shared/contract/agents.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { z } from "zod";
import { orUnavailable } from "../queue/or-unavailable.ts";

export type OfferedAgent = AgentManifest & { /** Live workers that offer it. */ readonly workers: number };

export type CatalogEntries = {
  readonly agents: ReadonlyMap<string, OfferedAgent>;
  readonly liveWorkers: number;
  /** There are live workers, and the database refuses the writes of all. */
  readonly cannotWrite: boolean;
};

/** `find` uses entries of at most this age; for an agent that they lack, it reads presence again. */
const FRESH_FOR_MS = 2 * SECOND;

export type AgentCatalog = ReturnType<typeof createAgentCatalog>;

export function createAgentCatalog(redis: RedisConnection, keys: RedisKeys) {
  /** `at` is by the monotonic clock. */
  let cached: { readonly entries: CatalogEntries; readonly at: number } | null = null;
  let reading: Promise<CatalogEntries> | null = null;
  const validators = new Map<string, { read: unknown; schema: string; validator: z.ZodType }>();

  async function read(): Promise<CatalogEntries> {
    const [[seconds = 0], records, manifests] = await Promise.all([
      redis.time(),
      redis.hgetall(keys.workers),
      redis.hgetall(keys.agents),
    ]);
    const liveWorkers = Object.values(records)
      .map((record) => {
        const separator = record.indexOf(" ");
        const known = WorkerRecordSchema.safeParse(parseJson(record.slice(separator + 1))).data;
        const { agents = [], can_write: canWrite = true } = known ?? {};
        return { seenAt: Number(record.slice(0, separator)), agents, canWrite };
      })
      .filter(({ seenAt }) => Number(seconds) * 1_000 - seenAt < WORKER_TTL_MS);
    // A manifest of another version that this one cannot read is skipped; otherwise it would fail every request.
    const agents = Object.values(manifests)
      .map((text) => AgentManifestSchema.safeParse(parseJson(text)).data)
      .filter((manifest) => manifest !== undefined)
      .map((agent) => ({ ...agent, workers: liveWorkers.filter((worker) => worker.agents.includes(agent.id)).length }));
    const entries = {
      agents: new Map(agents.map((agent) => [agent.id, agent])),
      liveWorkers: liveWorkers.length,
      cannotWrite: liveWorkers.length > 0 && liveWorkers.every(({ canWrite }) => !canWrite),
    };
    cached = { entries, at: performance.now() };
    return entries;
  }

  /** Reads presence now; concurrent callers share one read. Throws `queue_unavailable`. */
  function refresh(): Promise<CatalogEntries> {
    reading ??= orUnavailable(redis, read).finally(() => {
      reading = null;
    });
    return reading;
  }

  return {
    refresh,

    /** Whether the database refuses the writes of all live workers, as of at most `FRESH_FOR_MS` ago. */
    async cannotWrite(): Promise<boolean> {
      const known = cached !== null && performance.now() - cached.at < FRESH_FOR_MS ? cached.entries : await refresh();
      return known.cannotWrite;
    },

    /**
     * An agent that some worker has offered within days; while no live worker offers it, its jobs wait. Throws
     * `agent_not_found` or `queue_unavailable`.
     */
    async find(id: string): Promise<OfferedAgent> {
      const known =
        cached !== null && performance.now() - cached.at < FRESH_FOR_MS ? cached.entries.agents.get(id) : undefined;
      const agent = known ?? (await refresh()).agents.get(id);
      if (agent === undefined) throw new PlatformError("agent_not_found");
      return agent;
    },

    /** The validator of the agent's `config`, built from the JSON Schema that its workers publish. */
    configValidator({ id, config_schema }: AgentManifest): z.ZodType {
      let known = validators.get(id);
      // The same object as last time; a new read of an unchanged manifest gives another object with the same text.
      if (known?.read === config_schema) return known.validator;
      const schema = JSON.stringify(config_schema);
      const validator =
        known?.schema === schema
          ? known.validator
          : z.fromJSONSchema(config_schema as Parameters<typeof z.fromJSONSchema>[0]);
      known = { read: config_schema, schema, validator };
      validators.set(id, known);
      return validator;
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
