/** All scenarios, in the order in which they run. */
import { IDLE_SCENARIO } from "./idle.ts";
import { JOB_SCENARIOS } from "./jobs.ts";
import { SCALING_SCENARIO } from "./scaling.ts";
import type { Scenario } from "./scenario.ts";
import { SOAK_SCENARIO } from "./soak.ts";
import { START_SCENARIO } from "./start.ts";
import { STREAM_SCENARIOS } from "./streams.ts";
import { TURN_SCENARIOS } from "./turns.ts";

export const SCENARIOS: readonly Scenario[] = [
  ...STREAM_SCENARIOS,
  ...JOB_SCENARIOS,
  ...TURN_SCENARIOS,
  SCALING_SCENARIO,
  START_SCENARIO,
  IDLE_SCENARIO,
  SOAK_SCENARIO,
];
