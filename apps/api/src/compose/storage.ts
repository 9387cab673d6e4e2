/** The database, opened read-only, and its readers. */
import { databasePlace } from "@agent-paas/shared/config/database-url.ts";
import { limitsOf, openReadStorage } from "@agent-paas/shared/db/open-storage.ts";
import type { ReadStorage } from "@agent-paas/shared/db/storage.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { createRedisInstallation } from "@agent-paas/shared/redis/installation.ts";
import type { ApiConfig } from "../config.ts";
import type { StorageServices } from "../services.ts";
import { createInstallationCheck, DATABASE_GONE, FOREIGN_DATABASE } from "../storage/installation-check.ts";
import { createJobReader } from "../storage/job-reader.ts";
import { createKnowledgeReader } from "../storage/knowledge-reader.ts";
import { createSessionReader } from "../storage/session-reader.ts";
import { createSearchSessions } from "../storage/session-search.ts";
import { createSearchReader } from "../storage/session-search-reader.ts";
import type { RedisConnections } from "./redis.ts";

/**
 * For so long a look at the file is good for further POSTs, ms: it takes three system calls. Workers look for
 * themselves, so a job that is accepted within that time is not lost.
 */
const LOOK_AT_MOST_EVERY_MS = 20;

/** Throws for the database of another installation than Redis; one that appears later is refused by every read. */
export async function openReaders(
  config: ApiConfig,
  { redis: { requests, keys }, logger }: { readonly redis: RedisConnections; readonly logger: Logger },
  releasers: Releasers,
): Promise<StorageServices> {
  const inRedis = createRedisInstallation(requests, keys);
  const check = createInstallationCheck({ place: databasePlace(config.DATABASE_URL), inRedis, keys, logger });
  const opened = openReadStorage(config.DATABASE_URL, check.verify, limitsOf(config));
  releasers.add("database", () => opened.close());
  await check.look(opened);
  // A database that is not there yet may come; another installation's will not become this one's.
  const foreign = check.foreign();
  if (foreign !== null) throw new Error(foreign);
  const watching = check.watch(opened);
  releasers.add("installation watch", () => watching.stop());

  const problem = (): string | null => {
    if (check.mismatch() !== null) return FOREIGN_DATABASE;
    return opened.displacement() === null ? null : DATABASE_GONE;
  };
  const assertUsable = () => {
    if (problem() !== null) throw new PlatformError("database_unavailable");
  };
  let usableAt = Number.NEGATIVE_INFINITY;
  const assertUsableLately = () => {
    if (check.mismatch() === null && performance.now() - usableAt < LOOK_AT_MOST_EVERY_MS) return;
    assertUsable();
    usableAt = performance.now();
  };
  const database: ReadStorage = {
    ...opened,
    async read(query, absent) {
      assertUsable();
      return opened.read(query, absent);
    },
  };
  return {
    database,
    databaseProblem: problem,
    assertDatabaseUsable: assertUsableLately,
    jobs: createJobReader(database),
    sessions: createSessionReader(database),
    knowledge: createKnowledgeReader(database),
    searchSessions: createSearchSessions(createSearchReader(database)),
  };
}
