/**
 * A backlog of execute jobs that wait for the model: twice the workers should need half the time. Each job waits for
 * the model for a fixed time, so the best possible throughput is workers × concurrency ÷ that time.
 */
import { openReadonlyDatabase } from "@agent-paas/shared/db/sqlite/open-database.ts";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { waitFor } from "../../support/wait-for.ts";
import { startOurs } from "../systems/ours.ts";
import type { BenchContext, Figures, Scenario } from "./scenario.ts";

const WORKERS = [1, 2, 4, 8];
/** Concurrent jobs in each worker: few enough that eight workers are not limited by the machine's cores. */
const CONCURRENCY = 10;
const MODEL_MS = 2 * SECOND;
/** Jobs that each slot of a worker runs, one after the other. */
const WAVES = 5;
const CLIENTS = 10;

export const SCALING_SCENARIO: Scenario = {
  name: "scaling",
  about:
    `a backlog of jobs that wait ${MODEL_MS / SECOND} s for the model, ` +
    `${CONCURRENCY} at a time in each of ${WORKERS.join(", ")} workers`,
  systems: ["ours"],
  inQuick: false,
  async measure(_system, context) {
    const figures: Record<string, number> = {};
    for (const workers of WORKERS) figures[`jobsPerSecond${workers}`] = await throughput(workers, context);
    for (const workers of WORKERS.slice(1)) {
      figures[`speedUp${workers}`] = (figures[`jobsPerSecond${workers}`] ?? 0) / (figures.jobsPerSecond1 ?? 0);
    }
    return figures satisfies Figures;
  },
};

/** Jobs per second, from the start of the first to the end of the last, according to their rows. */
async function throughput(workers: number, context: BenchContext): Promise<number> {
  const env = { WORKER_EXECUTE_CONCURRENCY: String(CONCURRENCY) };
  const ours = await startOurs({ ...context, modelOrigin: context.model.origin, workers, env });
  const db = openReadonlyDatabase(ours.databaseFile);
  const ended = async () => {
    const [row] = await db("agent_logs")
      .where({ status: "completed" })
      .select(db.raw("count(*) as count, min(started_at) as first, max(finished_at) as last"));
    return row as { count: number; first: string; last: string };
  };
  const post = async (jobs: number, ttft: number) => {
    const before = (await ended()).count;
    const { failures } = await context.load.posts({
      port: ours.target.port,
      path: "/api/v1/agents/chat_basic/execute",
      body: { task: `[[tokens=1 ttft=${ttft}]] hi` },
      status: 202,
      clients: CLIENTS,
      requestsPerClient: jobs / CLIENTS,
    });
    if (failures > 0) throw new Error(`${failures} of ${jobs} jobs were refused`);
    await waitFor("the backlog to be done", async () => (await ended()).count === before + jobs, 3 * MINUTE);
  };
  try {
    const slots = workers * CONCURRENCY;
    // The warm-up's jobs last, too, so that every slot of every worker gets one.
    await post(slots, MODEL_MS / 4);
    const warm = await ended();
    await post(slots * WAVES, MODEL_MS);
    const [first] = await db("agent_logs").where("started_at", ">", warm.last).min({ at: "started_at" });
    return (slots * WAVES * SECOND) / (Date.parse((await ended()).last) - Date.parse(first?.at));
  } finally {
    await db.destroy();
    await ours.stop();
  }
}
