/** A migrated database file for one test, deleted when the test ends. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openWritableDatabase } from "@agent-paas/shared/db/open-database.ts";
import type { Knex } from "knex";
import { onTestFinished } from "vitest";
import { migrate } from "../../apps/worker/src/storage/migrate.ts";

export async function openTestDatabase(): Promise<{ db: Knex; file: string }> {
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-db-"));
  const file = join(dir, "test.db");
  const db = openWritableDatabase(file);
  onTestFinished(async () => {
    await db.destroy();
    await rm(dir, { recursive: true });
  });
  await migrate(db, file);
  return { db, file };
}

/** Counts how often the handle is acquired after this call; a write that finds the database busy acquires it for each try. */
export function countAcquisitions(db: Knex): () => number {
  let count = 0;
  const acquire = db.client.acquireConnection.bind(db.client);
  Object.assign(db.client, {
    acquireConnection() {
      count++;
      return acquire();
    },
  });
  return () => count;
}
