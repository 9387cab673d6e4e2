import type { Child } from "../../scripts/services/child.ts";
import type { TestPlatform } from "./platform.ts";
import { readDatabase } from "./platform-state.ts";

/** The process that the job's row names: the worker that started it last. */
export async function workerOf(platform: TestPlatform, jobId: string): Promise<Child> {
  const [name] = await readDatabase(platform, (table) => table("agent_logs").where({ id: jobId }).pluck("worker"));
  const worker = platform.workers[Number(String(name).split("-")[1]) - 1];
  if (worker === undefined) throw new Error(`no worker ${name}`);
  return worker;
}
