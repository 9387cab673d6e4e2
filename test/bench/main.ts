/** `npm run bench`: measures the product beside the baselines, prints the figures and writes them to `results/`. */
import { relative } from "node:path";
import { SECOND } from "@agent-paas/shared/time.ts";
import { type BenchOptions, readOptions, USAGE } from "./options.ts";
import { describeEnvironment } from "./report/environment.ts";
import { NOT_MEASURED } from "./report/limits.ts";
import { createReport } from "./report/report.ts";
import { summarise } from "./report/summary.ts";
import { drawText, systemsTable } from "./report/table.ts";
import { targetsTable } from "./report/targets.ts";
import { writePages, writeResults } from "./report/write-results.ts";
import { runBench } from "./run.ts";
import { SCENARIOS } from "./scenarios/index.ts";
import { stopAllSystems } from "./systems/system.ts";

/** Above this load average other processes use enough of two cores to influence the figures. */
const BUSY_LOAD = 0.5;

const args = process.argv.slice(2);
if (args.includes("--help")) {
  console.log(USAGE);
  for (const { name, about } of SCENARIOS) console.log(`  ${name.padEnd(10)} ${about}`);
} else if (args.includes("--pages")) {
  await writePages();
} else {
  await bench(parseOptions(args));
}

function parseOptions(given: readonly string[]): BenchOptions {
  try {
    return readOptions(given);
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}

async function bench(options: BenchOptions): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void stopAllSystems().then(() => process.exit(130)));
  }
  const startedAt = new Date().toISOString();
  const environment = await describeEnvironment();
  const remarks: string[] = [];
  const remark = (text: string) => {
    remarks.push(text);
    console.error(`! ${text}`);
  };
  if (environment.loadBefore > BUSY_LOAD) {
    remark(`the machine was busy before the run: a load of ${environment.loadBefore.toFixed(1)}`);
  }
  const samples = await runBench(options, {
    begun: (what) => console.error(`\n[${Math.round(performance.now() / SECOND)} s] ${what}`),
    measured: (sample) => console.error(drawText(systemsTable(summarise([sample])[sample.scenario] ?? {}))),
    remark,
  });
  const scenarios = Object.fromEntries(SCENARIOS.map(({ name, about }) => [name, about]));
  const report = createReport({ startedAt, options, environment, scenarios, remarks, samples });
  for (const [name, systems] of Object.entries(report.summary)) {
    console.log(`\n${name}: ${scenarios[name]}\n${drawText(systemsTable(systems))}`);
  }
  const measured = report.targets.filter(({ verdict }) => verdict !== "not measured");
  const others = report.targets.length - measured.length;
  console.log(`\n${drawText(targetsTable(measured))}${others > 0 ? `\n(${others} targets were not measured)` : ""}`);
  console.log(`\nNot measured:\n${NOT_MEASURED.map((line) => `- ${line}`).join("\n")}`);
  console.log(`\n${relative(process.cwd(), await writeResults(report))}`);
}
