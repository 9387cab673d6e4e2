import { databaseFile } from "@agent-paas/shared/db/open-database.ts";
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { ApiConfig } from "../config.ts";
import type { StorageServices } from "../services.ts";
import { createReadDatabase } from "../storage/database.ts";
import { createJobReader } from "../storage/job-reader.ts";
import { createKnowledgeReader } from "../storage/knowledge-reader.ts";
import { createSessionReader } from "../storage/session-reader.ts";

export function openStorage(config: ApiConfig, releasers: Releasers): StorageServices {
  const database = createReadDatabase(databaseFile(config.DATABASE_URL));
  releasers.add("database", () => database.close());
  return {
    database,
    jobs: createJobReader(database),
    sessions: createSessionReader(database),
    knowledge: createKnowledgeReader(database),
  };
}
