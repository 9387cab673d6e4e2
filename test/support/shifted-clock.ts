import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "./sources.ts";

/**
 * Environment of a process whose wall clock is off by `ms`: from its start, or from a signal on. Several values: it
 * starts with the first, and each signal sets the clock to the next, in a circle.
 */
export const shiftedClock = (
  ms: number | readonly number[],
  from: { readonly signal?: NodeJS.Signals } = {},
): NodeJS.ProcessEnv => ({
  NODE_OPTIONS: `--import ${pathToFileURL(join(ROOT, "test/fixtures/shifted-clock.ts")).href}`,
  CLOCK_SHIFT_MS: (typeof ms === "number" && from.signal !== undefined ? [0, ms] : [ms].flat()).join(),
  ...(from.signal === undefined ? {} : { CLOCK_SHIFT_ON: from.signal }),
});
