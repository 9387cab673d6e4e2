/**
 * Brings the database up to date and makes sure that it is the one of the installation, whose identity stands in the
 * database and in Redis. Without this, a worker with another database on the same Redis would run jobs, stream them and
 * report them as completed, in rows that no API reads.
 */
import type { Storage } from "@agent-paas/shared/db/storage.ts";
import { describeMismatch, type RedisInstallation } from "@agent-paas/shared/redis/installation.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { migrate } from "./migrate.ts";

export type JoinDeps = {
  readonly storage: Pick<Storage, "place" | "installation" | "migrate">;
  readonly inRedis: RedisInstallation;
  readonly keys: RedisKeys;
};

/** Returns the id of the installation. Throws for a database of another one, and changes nothing in it. */
export async function joinInstallation({ storage, inRedis, keys }: JoinDeps): Promise<string> {
  const refuse = (ofDatabase: string | null, ofRedis: string): Error =>
    new Error(describeMismatch({ place: storage.place, ofDatabase, ofRedis, keys }));

  // Redis first: what stands there was written after a migration, so the database that it names has its id by now.
  const known = await inRedis.read();
  const found = await storage.installation();
  // Also when there is none: a new database would have another id, and leave a file where the right one belongs.
  if (known !== null && known !== found) throw refuse(found, known);
  await migrate(storage);
  const own = await storage.installation();
  if (own === null)
    throw new Error(`The database ${storage.place} has lost its identity: its table installation is empty`);
  const claimed = await inRedis.claim(own);
  if (claimed !== own) throw refuse(own, claimed);
  return own;
}
