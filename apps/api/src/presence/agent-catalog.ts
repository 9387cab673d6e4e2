/** What live workers offer, read from the presence that they keep in Redis. */
import {
  type AgentManifest,
  AgentManifestSchema,
  KEEP_MANIFESTS_MS,
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
  /** Empty until the first worker has published its agents. */
  readonly agents: ReadonlyMap<string, OfferedAgent>;
  readonly liveWorkers: number;
  /** Those of them whose main thread has stood still for seconds. */
  readonly busyWorkers: number;
  /** How long no worker has been heard, or seen by this process, ms; 0 while one is live. */
  readonly silentMs: number;
  /** There are live workers, and the database refuses the writes of all. */
  readonly cannotWrite: boolean;
};

/** Older entries are replaced in the background: one round trip, which delays no request. */
const FRESH_FOR_MS = 2 * SECOND;
/** A request waits for the replacement of entries older than this, and of such that lack its agent. */
const STALE_AFTER_MS = 5 * SECOND;

/** Why nothing that names an agent can be accepted before the first worker's first heartbeat. */
export const NO_AGENT_KNOWN = "No worker has published its agents yet.";

export type AgentCatalog = ReturnType<typeof createAgentCatalog>;

export function createAgentCatalog(redis: RedisConnection, keys: RedisKeys) {
  /** `at` is by the monotonic clock. */
  let cached: { readonly entries: CatalogEntries; readonly at: number } | null = null;
  /** By the monotonic clock. The start counts, so that an API that starts before the workers gives them their grace. */
  let liveAt = performance.now();
  let reading: Promise<CatalogEntries> | null = null;
  const validators = new Map<string, { read: unknown; schema: string; validator: z.ZodType }>();
  /** Text → manifest: what the workers offer rarely changes. Null for a text that is none. */
  let parsed = new Map<string, AgentManifest | null>();

  /** A manifest of another version that this one cannot read is skipped; otherwise it would fail every request. */
  function readManifests(texts: readonly string[]): AgentManifest[] {
    parsed = new Map(
      texts.map((text) => [text, parsed.get(text) ?? AgentManifestSchema.safeParse(parseJson(text)).data ?? null]),
    );
    return [...parsed.values()].filter((manifest) => manifest !== null);
  }

  async function read(): Promise<CatalogEntries> {
    const [[seconds = 0], records, manifests, keptMs] = await Promise.all([
      redis.time(),
      redis.hgetall(keys.workers),
      redis.hgetall(keys.agents),
      redis.pttl(keys.agents),
    ]);
    const liveWorkers = Object.values(records)
      .map((record) => {
        const separator = record.indexOf(" ");
        const known = WorkerRecordSchema.safeParse(parseJson(record.slice(separator + 1))).data;
        const { agents = [], can_write: canWrite = true, stopping = false, busy = false } = known ?? {};
        return { seenAt: Number(record.slice(0, separator)), agents, canWrite, stopping, busy };
      })
      .filter(({ stopping }) => !stopping)
      // After the clock of Redis was set back, records of before it are older than they look.
      .filter(({ seenAt }) => Math.abs(Number(seconds) * 1_000 - seenAt) < WORKER_TTL_MS);
    const agents = readManifests(Object.values(manifests)).map((agent) => ({
      ...agent,
      workers: liveWorkers.filter((worker) => worker.agents.includes(agent.id)).length,
    }));
    const now = performance.now();
    if (liveWorkers.length > 0) liveAt = now;
    // Redis knows the last heartbeat also when nobody has asked this process for an hour; it may have lost it, though.
    const unheardMs = keptMs < 0 ? Number.POSITIVE_INFINITY : Math.max(0, KEEP_MANIFESTS_MS - keptMs);
    const entries: CatalogEntries = {
      agents: new Map(agents.map((agent) => [agent.id, agent])),
      liveWorkers: liveWorkers.length,
      busyWorkers: liveWorkers.filter(({ busy }) => busy).length,
      cannotWrite: liveWorkers.length > 0 && liveWorkers.every(({ canWrite }) => !canWrite),
      silentMs: liveWorkers.length > 0 ? 0 : Math.min(unheardMs, now - liveAt),
    };
    cached = { entries, at: now };
    return entries;
  }

  /** Reads presence now; concurrent callers share one read. Throws `queue_unavailable`. */
  function refresh(): Promise<CatalogEntries> {
    reading ??= orUnavailable(redis, read).finally(() => {
      reading = null;
    });
    return reading;
  }

  /** Null if they are too old, or were never read. */
  function recent(): CatalogEntries | null {
    const ageMs = cached === null ? Number.POSITIVE_INFINITY : performance.now() - cached.at;
    if (cached === null || ageMs >= STALE_AFTER_MS) return null;
    // Whoever waits for the next entries gets the failure of reading them.
    if (ageMs >= FRESH_FOR_MS) refresh().catch(() => {});
    return cached.entries;
  }

  return {
    refresh,

    /** Whether the database refuses the writes of all live workers, as of at most `STALE_AFTER_MS` ago. */
    cannotWrite: async (): Promise<boolean> => (recent() ?? (await refresh())).cannotWrite,

    /**
     * An agent that some worker has offered within days; while no live worker offers it, its jobs wait. Throws
     * `agent_not_found`, `agent_unavailable` while no agent is known at all, or `queue_unavailable`.
     */
    async find(id: string): Promise<OfferedAgent> {
      return recent()?.agents.get(id) ?? offeredIn(await refresh(), id);
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

/** Those that a live worker offers, by their ids. */
export const liveAgents = ({ agents }: CatalogEntries): OfferedAgent[] =>
  [...agents.values()].filter(({ workers }) => workers > 0).sort((a, b) => (a.id < b.id ? -1 : 1));

/** The same as `offeredIn`, of an agent that a live worker offers. */
export function liveAgent(entries: CatalogEntries, id: string): OfferedAgent {
  const agent = offeredIn(entries, id);
  if (agent.workers === 0) throw new PlatformError("agent_not_found");
  return agent;
}

/**
 * Throws `agent_not_found`; or, before the first worker has published its agents, `agent_unavailable`: that an agent
 * does not exist is not known then, and a client that hears so does not ask again.
 */
function offeredIn({ agents }: CatalogEntries, id: string): OfferedAgent {
  const agent = agents.get(id);
  if (agent !== undefined) return agent;
  if (agents.size > 0) throw new PlatformError("agent_not_found");
  throw new PlatformError("agent_unavailable", { message: NO_AGENT_KNOWN });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
