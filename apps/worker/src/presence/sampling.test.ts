import { SAMPLE_INTERVAL_MS } from "@agent-paas/shared/contract/samples.ts";
import { expect, test } from "vitest";
import { sampleAt } from "./sampling.ts";

test.each([-40, 0, 900])("timers that fire %d ms off their time write one sample for each interval", (off) => {
  let now = 100 * SAMPLE_INTERVAL_MS + off;
  const written = Array.from({ length: 5 }, () => {
    const { interval, nextInMs } = sampleAt(now);
    now += nextInMs + off;
    return interval;
  });
  expect(written).toEqual([99, 100, 101, 102, 103]);
});
