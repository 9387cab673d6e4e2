/**
 * The wall clock may be set at any moment, and differs between machines. So nothing measures ages, waits or deadlines
 * by it: within a process `performance.now()` does, between processes the clock of Redis.
 */
import { expect, test } from "vitest";
import { readSources } from "../support/sources.ts";

/** Who may read the wall clock, and why nothing breaks when it is set. */
const MAY_READ: Readonly<Record<string, string>> = {
  "packages/shared/src/ids.ts": "ids do not follow it back",
  "packages/shared/src/redis/clock.ts": "until Redis has been read once",
  "packages/shared/src/contract/jobs.ts": "for payloads that lack their time",
  "packages/shared/src/logging/log-retention.ts": "marks files, whose order of times counts",
  "packages/shared/src/logging/logger.ts": "compares it with the times of files",
  "packages/agents/src/model/openai/retry-after.ts": "a provider may name a date; the delay is bounded by a minute",
  "packages/agents/src/tools/current-time.ts": "tells the time",
  "apps/playground/src/state/clock.ts": "compares it with the platform's",
  "apps/playground/src/text/format.ts": "tells whether a day is today",
  "packages/client/src/errors.ts": "a gateway may name a date; waits are bounded",
  "packages/client/src/exchange.ts": "notices that a computer slept; a clock that is set costs one more connection",
  "apps/worker/src/job/lease.ts": "BullMQ takes a time by the worker's clock, and subtracts the same clock",
  "apps/worker/src/queue/retention.ts": "counts in days",
  "apps/worker/src/storage/job-repository.ts": "the default of tests; workers pass the clock of Redis",
  "apps/worker/src/storage/journal-repository.ts": "the default of tests; workers pass the clock of Redis",
  "apps/worker/src/storage/knowledge-repository.ts": "shown only",
  "apps/worker/src/storage/migrations/008-installation.ts": "shown only",
};

const WALL_CLOCK = /\bDate\.now\b|\bnew Date\(\)/;

test("the product reads the wall clock only where nothing is measured by it", () => {
  const readers = readSources()
    .filter(({ file }) => /^(apps|packages)\/[^/]+\/src\//.test(file) && !file.endsWith(".test.ts"))
    .filter(({ text }) => WALL_CLOCK.test(text))
    .map(({ file }) => file);
  expect(readers).toEqual(Object.keys(MAY_READ).sort());
});
