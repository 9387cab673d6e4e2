/**
 * The identity of an installation in Redis: the id that its database got from its first migration. A Redis that has
 * none, because it is new or was emptied, takes the id of the first worker's database. A process with another
 * database must not work on it: its jobs would end in rows that no API of the installation reads.
 */
import type { RedisConnection } from "./connect.ts";
import type { RedisKeys } from "./keys.ts";
import { defineScript } from "./script.ts";

/**
 * One step, so that of two workers with different databases one wins. It writes only what is missing: a full Redis
 * refuses writes, and workers must start to empty it.
 */
const CLAIM_SCRIPT = defineScript<string>()({
  name: "claimInstallation",
  keys: ["installation"],
  args: ["id"],
  lua: `
local known = redis.call('GET', installation)
if known then return known end
redis.call('SET', installation, id)
return id
`,
});

export type RedisInstallation = {
  /** Null: none is written. */
  read(): Promise<string | null>;
  /** Writes the id if there is none. Returns what is written. */
  claim(id: string): Promise<string>;
};

export function createRedisInstallation(redis: RedisConnection, keys: RedisKeys): RedisInstallation {
  const claim = CLAIM_SCRIPT.on(redis);
  return {
    read: () => redis.get(keys.installation),
    claim: (id) => claim({ installation: keys.installation, id }),
  };
}

export type Mismatch = {
  /** Where the database is, as the log may show it. */
  readonly place: string;
  /** Null: there is no database yet, or one without an identity. */
  readonly ofDatabase: string | null;
  readonly ofRedis: string;
  readonly keys: RedisKeys;
};

/** What operators read. */
export function describeMismatch({ place, ofDatabase, ofRedis, keys }: Mismatch): string {
  const database =
    ofDatabase === null
      ? `The database ${place} (DATABASE_URL) does not exist, or has no identity yet`
      : `The database ${place} (DATABASE_URL) is that of installation ${ofDatabase}`;
  return [
    `${database}, but Redis holds installation ${ofRedis} under its REDIS_PREFIX (key ${keys.installation}).`,
    `Set DATABASE_URL to the database of installation ${ofRedis}, or REDIS_PREFIX or REDIS_URL to other ones.`,
    "Only if this database is to take its place: stop all processes of the installation and delete that key.",
  ].join(" ");
}
