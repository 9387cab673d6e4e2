/** What live workers offer, read from the heartbeats that they leave in Redis. */
import {
  type AgentManifest,
  AgentManifestSchema,
  WORKER_TTL_MS,
  WorkerRecordSchema,
} from "@agent-paas/shared/contract/agents.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Redis } from "ioredis";
import { z } from "zod";
import { orUnavailable } from "../queue/or-unavailable.ts";

export type OfferedAgent = AgentManifest & { /** Live workers that offer it. */ readonly workers: number };

export type Directory = { readonly agents: ReadonlyMap<string, OfferedAgent>; readonly liveWorkers: number };

/** Requests see a directory of at most this age; a missing agent is looked for anew. */
const FRESH_FOR_MS = 2 * SECOND;

export type AgentCatalog = ReturnType<typeof createAgentCatalog>;

export function createAgentCatalog(redis: Redis, keys: RedisKeys) {
  let cached: { directory: Directory; at: number } | null = null;
  let reading: Promise<Directory> | null = null;
  const validators = new Map<string, { read: unknown; schema: string; validator: z.ZodType }>();

  async function read(): Promise<Directory> {
    const [[seconds = 0], records, manifests] = await Promise.all([
      redis.time(),
      redis.hgetall(keys.workers),
      redis.hgetall(keys.agents),
    ]);
    const offered = Object.values(records)
      .map((record) => {
        const cut = record.indexOf(" ");
        const known = WorkerRecordSchema.safeParse(parseJson(record.slice(cut + 1))).data;
        return { seenAt: Number(record.slice(0, cut)), agents: known?.agents ?? [] };
      })
      .filter(({ seenAt }) => Number(seconds) * 1_000 - seenAt < WORKER_TTL_MS);
    // What another version wrote and this one cannot read is passed over: it must not make every request fail.
    const agents = Object.values(manifests)
      .map((text) => AgentManifestSchema.safeParse(parseJson(text)).data)
      .filter((manifest) => manifest !== undefined)
      .map((agent) => ({ ...agent, workers: offered.filter((worker) => worker.agents.includes(agent.id)).length }));
    const directory = { agents: new Map(agents.map((agent) => [agent.id, agent])), liveWorkers: offered.length };
    cached = { directory, at: Date.now() };
    return directory;
  }

  /** One read at a time, however many ask. */
  function refresh(): Promise<Directory> {
    reading ??= orUnavailable(redis, read).finally(() => {
      reading = null;
    });
    return reading;
  }

  return {
    refresh,

    /** An agent that some worker has offered within days; its jobs wait for a worker that does. Throws `agent_not_found`. */
    async find(id: string): Promise<OfferedAgent> {
      const known =
        cached !== null && Date.now() - cached.at < FRESH_FOR_MS ? cached.directory.agents.get(id) : undefined;
      const agent = known ?? (await refresh()).agents.get(id);
      if (agent === undefined) throw new PlatformError("agent_not_found");
      return agent;
    },

    /** The validator of the agent's `config`, built from the JSON Schema that its workers publish. */
    configValidator({ id, config_schema }: AgentManifest): z.ZodType {
      let known = validators.get(id);
      // The same object, or another reading of the same manifest.
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
