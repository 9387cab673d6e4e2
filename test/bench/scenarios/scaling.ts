/**
 * A backlog of execute jobs that wait for the model: twice the workers should need half the time. Each job waits for
 * the model for a fixed time, so the best possible throughput is workers × concurrency ÷ that time.
 */
import { openReadStorage } from "@agent-paas/shared/db/open-storage.ts";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import type { DatabaseKind } from "../../support/database-kind.ts";
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
  systems: ["ours", "ours-pg"],
  inQuick: false,
  async measure(system, context) {
    const database = system === "ours-pg" ? "postgres" : "sqlite";
    const figures: Record<string, number> = {};
    for (const workers of WORKERS) figures[`jobsPerSecond${workers}`] = await throughput(database, workers, context);
    for (const workers of WORKERS.slice(1)) {
      figures[`speedUp${workers}`] = (figures[`jobsPerSecond${workers}`] ?? 0) / (figures.jobsPerSecond1 ?? 0);
    }
    return figures satisfies Figures;
  },
};

/** Jobs per second, from the start of the first to the end of the last, according to their rows. */
async function throughput(database: DatabaseKind, workers: number, context: BenchContext): Promise<number> {
  const env = { WORKER_EXECUTE_CONCURRENCY: String(CONCURRENCY) };
  const ours = await startOurs({ ...context, modelOrigin: context.model.origin, workers, database, env });
  const reader = openReadStorage(ours.databaseUrl);
  const ended = () =>
    reader.read(
      (table) =>
        table("agent_logs").where({ status: "completed" }).select("started_at", "finished_at").orderBy("finished_at"),
      [],
    );
  const post = async (jobs: number, ttft: number) => {
    const before = (await ended()).length;
    const { failures } = await context.load.posts({
      port: ours.target.port,
      path: "/api/v1/agents/chat_basic/execute",
      body: { task: `[[tokens=1 ttft=${ttft}]] hi` },
      status: 202,
      clients: CLIENTS,
      requestsPerClient: jobs / CLIENTS,
    });
    if (failures > 0) throw new Error(`${failures} of ${jobs} jobs were refused`);
    await waitFor("the backlog to be done", async () => (await ended()).length === before + jobs, 3 * MINUTE);
  };
  try {
    const slots = workers * CONCURRENCY;
    // The warm-up's jobs last, too, so that every slot of every worker gets one.
    await post(slots, MODEL_MS / 4);
    const warm = await ended();
    await post(slots * WAVES, MODEL_MS);
    const measured = (await ended()).slice(warm.length);
    const times = (field: "started_at" | "finished_at") => measured.map((job) => Date.parse(job[field] ?? ""));
    return (slots * WAVES * SECOND) / (Math.max(...times("finished_at")) - Math.min(...times("started_at")));
  } finally {
    await reader.close();
    await ours.stop();
  }
}
