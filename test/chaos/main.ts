/** `npm run chaos`: runs one scenario, prints its table, and fails if a column that must be zero is not. */
import { ChildError } from "../../scripts/services/child.ts";
import { type ChaosOptions, readOptions, USAGE } from "./options.ts";
import { enterOwnNetwork } from "./own-network.ts";
import { runChaos, scenarioOf } from "./run.ts";
import { SCENARIOS } from "./scenarios/index.ts";
import type { Scenario } from "./scenarios/scenario.ts";

const usage = `${USAGE}\nScenarios: ${Object.keys(SCENARIOS).join(", ")}`;

if (process.argv.includes("--help")) {
  console.log(usage);
  process.exit(0);
}

let options: ChaosOptions;
let scenario: Scenario;
try {
  options = readOptions(process.argv.slice(2));
  scenario = scenarioOf(options);
} catch (error) {
  console.error(`${(error as Error).message}\n${usage}`);
  process.exit(2);
}

if (scenario.inOwnNetwork) enterOwnNetwork();

try {
  const { passed, text } = await runChaos(options, console.error);
  console.log(text);
  process.exitCode = passed ? 0 : 1;
} catch (error) {
  console.error(error);
  if (error instanceof ChildError) console.error(error.lastLines.join("\n"));
  process.exitCode = 1;
}
