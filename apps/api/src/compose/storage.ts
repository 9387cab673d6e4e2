/** The database, opened read-only, and its readers. */
import { openReadStorage } from "@agent-paas/shared/db/open-storage.ts";
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { ApiConfig } from "../config.ts";
import type { StorageServices } from "../services.ts";
import { createJobReader } from "../storage/job-reader.ts";
import { createKnowledgeReader } from "../storage/knowledge-reader.ts";
import { createSessionReader } from "../storage/session-reader.ts";

export function openReaders(config: ApiConfig, releasers: Releasers): StorageServices {
  const database = openReadStorage(config.DATABASE_URL);
  releasers.add("database", () => database.close());
  return {
    database,
    jobs: createJobReader(database),
    sessions: createSessionReader(database),
    knowledge: createKnowledgeReader(database),
  };
}
