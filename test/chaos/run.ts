/** One run: starts the processes, plays the scenario, gathers the evidence and evaluates it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { check } from "./checker.ts";
import { createClient } from "./client.ts";
import { gatherEvidence } from "./evidence.ts";
import { createFaults } from "./faults.ts";
import type { ChaosOptions } from "./options.ts";
import { SCENARIOS } from "./scenarios/index.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { startStack } from "./stack.ts";
import { evaluate, type Verdict } from "./table.ts";
import { openRunRecord } from "./transcript.ts";

/** When the load has stopped, all queues must be empty within this time. */
const SETTLE_WITHIN_MS = MINUTE;

export function scenarioOf({ scenario: name, database }: ChaosOptions): Scenario {
  const scenario = SCENARIOS[name];
  if (scenario === undefined) throw new Error(`no scenario '${name}'; there are ${Object.keys(SCENARIOS).join(", ")}`);
  const { needs = database } = scenario;
  if (needs !== database) throw new Error(`${name} needs --database ${needs}`);
  return scenario;
}

export async function runChaos(options: ChaosOptions, progress: (line: string) => void): Promise<Verdict> {
  const scenario = scenarioOf(options);
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-chaos-"));
  const startedAt = performance.now();
  progress(`${options.scenario}: ${scenario.about}; seed ${options.seed}, folder ${dir}`);
  const stack = await startStack({
    ...{ dir, ...scenario.stack, database: options.database, redis: options.redis },
    env: { ACCEPT_MIN_REPLICAS: String(options.minReplicas) },
  });
  let verdict: Verdict;
  try {
    const record = openRunRecord(dir);
    const faults = createFaults(stack, record);
    const context = {
      options,
      stack,
      faults,
      record,
      client: createClient(stack, options.outageMs),
      random: seededRandom(options.seed),
      progress,
    };
    await scenario.run(context);
    await faults.settle(SETTLE_WITHIN_MS);
    const seconds = Math.round((performance.now() - startedAt) / SECOND);
    const { database, seed, atOnce } = options;
    const title = `${options.scenario} on ${database}, seed ${seed}, ${atOnce} at a time, ${seconds} s`;
    verdict = evaluate(title, check(await gatherEvidence(stack)), scenario.bounds ?? {}, {
      mayLose: stack.redisSet !== null && options.minReplicas === 0,
    });
  } finally {
    await stack.stop();
  }
  if (verdict.passed && !options.keep) await rm(dir, { recursive: true });
  else progress(`the run record, the database and the logs are kept in ${dir}`);
  return verdict;
}
