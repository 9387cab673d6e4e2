import { openReadonlyDatabase } from "@agent-paas/shared/db/sqlite/open-database.ts";
import type { Child } from "../../scripts/services/child.ts";
import type { TestPlatform } from "./platform.ts";

/** The process that the job's row names: the worker that started it last. */
export async function workerOf({ databaseFile, workers }: TestPlatform, jobId: string): Promise<Child> {
  const database = openReadonlyDatabase(databaseFile);
  try {
    const [name] = await database("agent_logs").where({ id: jobId }).pluck("worker");
    const worker = workers[Number(String(name).split("-")[1]) - 1];
    if (worker === undefined) throw new Error(`no worker ${name}`);
    return worker;
  } finally {
    await database.destroy();
  }
}
