/** One run: the processes, the scenario, the evidence, the verdict. */
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
import { startStack } from "./stack.ts";
import { judge, type Verdict } from "./table.ts";
import { openRecord } from "./transcript.ts";

/** After this time nothing may be left running. */
const SETTLE_WITHIN_MS = MINUTE;

export async function runChaos(options: ChaosOptions, say: (line: string) => void): Promise<Verdict> {
  const scenario = SCENARIOS[options.scenario];
  if (scenario === undefined) {
    throw new Error(`no scenario '${options.scenario}'; there are ${Object.keys(SCENARIOS).join(", ")}`);
  }
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-chaos-"));
  const startedAt = performance.now();
  say(`${options.scenario}: ${scenario.about}; seed ${options.seed}, folder ${dir}`);
  const stack = await startStack({ dir, ...scenario.stack });
  let verdict: Verdict;
  try {
    const record = openRecord(dir);
    const faults = createFaults(stack, record);
    const context = {
      options,
      stack,
      faults,
      record,
      client: createClient(stack),
      random: seededRandom(options.seed),
      say,
    };
    await scenario.run(context);
    await faults.settle(SETTLE_WITHIN_MS);
    const seconds = Math.round((performance.now() - startedAt) / SECOND);
    const title = `${options.scenario}, seed ${options.seed}, ${options.atOnce} at a time, ${seconds} s`;
    verdict = judge(title, check(await gatherEvidence(stack)), scenario.bounds ?? {});
  } finally {
    await stack.stop();
  }
  if (verdict.passed && !options.keep) await rm(dir, { recursive: true });
  else say(`record, database and logs are kept in ${dir}`);
  return verdict;
}
