/**
 * Decisions on inquiries, as they are made: the first one counts, whoever makes it. The API writes those of people, a
 * worker those of inquiries that have expired; a worker copies them into the database.
 */
import type { Decision } from "../contract/inquiries.ts";
import { UNENDED_JOB_TTL_SECONDS } from "../contract/jobs.ts";
import { parseJson } from "../json/exact-json.ts";
import type { RedisConnection } from "./connect.ts";
import type { RedisKeys } from "./keys.ts";
import { defineScript } from "./script.ts";

/**
 * `rest`: request ids and decisions in turn. Writes all of them and returns nil; or writes nothing, and returns the id
 * of the first on which another decision was made.
 */
const DECIDE_SCRIPT = defineScript<string | null>()({
  name: "decideInquiries",
  keys: ["decisions"],
  args: ["ttl"],
  lua: `
for at = rest_from, #ARGV, 2 do
  local known = redis.call('HGET', decisions, ARGV[at])
  if known and known ~= ARGV[at + 1] then return ARGV[at] end
end
for at = rest_from, #ARGV, 2 do redis.call('HSET', decisions, ARGV[at], ARGV[at + 1]) end
redis.call('EXPIRE', decisions, ttl)
return false
`,
});

export type DecisionsById = ReadonlyMap<string, Decision>;

export type Decisions = ReturnType<typeof createDecisions>;

export function createDecisions(redis: RedisConnection, keys: RedisKeys) {
  const decide = DECIDE_SCRIPT.on(redis);
  return {
    /** Returns the id of an inquiry on which another decision was made: then none is written. Null: all are. */
    decide: (jobId: string, made: DecisionsById): Promise<string | null> =>
      decide({
        decisions: keys.decisions(jobId),
        ttl: UNENDED_JOB_TTL_SECONDS,
        rest: [...made].flatMap(([id, decision]) => [id, encodeDecision(decision)]),
      }),

    async read(jobId: string): Promise<DecisionsById> {
      const made = Object.entries(await redis.hgetall(keys.decisions(jobId)));
      return new Map(made.map(([id, text]) => [id, parseJson(text) as Decision]));
    },
  };
}

/** Equal decisions give equal texts, in whatever order their fields came. */
export const encodeDecision = (decision: Decision): string => JSON.stringify(sorted(decision));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}
