import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "./sources.ts";

/** Environment of a process whose wall clock is off by `ms`: from its start, or from a signal on. */
export const shiftedClock = (ms: number, from: { readonly signal?: NodeJS.Signals } = {}): NodeJS.ProcessEnv => ({
  NODE_OPTIONS: `--import ${pathToFileURL(join(ROOT, "test/fixtures/shifted-clock.ts")).href}`,
  CLOCK_SHIFT_MS: String(ms),
  ...(from.signal === undefined ? {} : { CLOCK_SHIFT_ON: from.signal }),
});
