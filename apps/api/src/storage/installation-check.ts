/**
 * Keeps the API off a database that is not its installation's: its readers would find none of the jobs that workers
 * run, and none of their sessions. What the API opens is compared with Redis when it is opened, and at intervals,
 * because the file may be made or replaced later, and Redis may have been away, or emptied and taken by another
 * installation.
 */
import type { ReadStorage } from "@agent-paas/shared/db/storage.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { describeMismatch, type RedisInstallation } from "@agent-paas/shared/redis/installation.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { SECOND } from "@agent-paas/shared/time.ts";

const COMPARE_EVERY_MS = 2 * SECOND;

/** What everybody may read in health; the log has the ids and the path. */
export const FOREIGN_DATABASE = "it is not the database of this installation: see the log";
export const DATABASE_GONE = "it was moved away or deleted: see the log";

export type InstallationCheckDeps = {
  readonly place: string;
  readonly inRedis: Pick<RedisInstallation, "read">;
  readonly keys: RedisKeys;
  readonly logger: Logger;
};

type OpenedDatabase = Pick<ReadStorage, "installation" | "displacement">;

export type InstallationCheck = {
  /** For `openReadStorage`. Throws `database_unavailable` for the database of another installation. */
  verify(id: string): Promise<void>;
  /** What operators read about the last comparison; null: nothing is wrong, or could be compared yet. */
  mismatch(): string | null;
  /** The same, except for a database that is not there yet. */
  foreign(): string | null;
  /** Compares now. Never throws: every reader reports a database that cannot be read. */
  look(database: OpenedDatabase): Promise<void>;
  /** Compares at intervals. */
  watch(database: OpenedDatabase): { stop(): void };
};

export function createInstallationCheck({ place, inRedis, keys, logger }: InstallationCheckDeps): InstallationCheck {
  let mismatch: string | null = null;
  let isMissing = false;
  let isDisplaced = false;

  /** Null: Redis has none, or is away, which says nothing against the database; the next comparison follows. */
  const readRedis = () => inRedis.read().catch(() => null);

  function compare(ofDatabase: string | null, ofRedis: string): void {
    const found = ofDatabase === ofRedis ? null : describeMismatch({ place, ofDatabase, ofRedis, keys });
    if (found !== null && mismatch === null) logger.error({ reason: found }, "the database cannot be used");
    if (found === null && mismatch !== null) logger.info("the database is that of the installation again");
    mismatch = found;
    isMissing = ofDatabase === null;
  }

  async function look({ installation, displacement }: OpenedDatabase): Promise<void> {
    const reason = displacement();
    if (reason !== null && !isDisplaced) logger.error({ reason }, "the database cannot be used");
    isDisplaced = reason !== null;
    if (isDisplaced) return;
    // Redis first: what stands there was written when the database had its id.
    const ofRedis = await readRedis();
    const id = await installation();
    if (ofRedis !== null) compare(id, ofRedis);
  }

  const lookQuietly = (database: OpenedDatabase) => look(database).catch(() => {});

  return {
    async verify(id) {
      const ofRedis = await readRedis();
      if (ofRedis !== null) compare(id, ofRedis);
      if (mismatch !== null) throw new PlatformError("database_unavailable", { cause: new Error(mismatch) });
    },
    mismatch: () => mismatch,
    foreign: () => (isMissing ? null : mismatch),
    look: lookQuietly,
    watch(database) {
      let isLooking = false;
      const timer = setInterval(async () => {
        if (isLooking) return;
        isLooking = true;
        await lookQuietly(database);
        isLooking = false;
      }, COMPARE_EVERY_MS);
      return { stop: () => clearInterval(timer) };
    },
  };
}
