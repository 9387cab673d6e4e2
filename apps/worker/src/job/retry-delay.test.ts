import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { expect, test } from "vitest";
import { retryDelayMs } from "./retry-delay.ts";

test("the delay doubles, with jitter of a quarter, up to a minute", () => {
  for (const [tries, expected] of [
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
  ] as const) {
    for (let round = 0; round < 50; round++) {
      const delay = retryDelayMs(tries, null);
      expect(delay).toBeGreaterThanOrEqual(expected * 0.75);
      expect(delay).toBeLessThanOrEqual(expected * 1.25);
    }
  }
  expect(retryDelayMs(30, null)).toBe(60_000);
});

test("a provider that asks for more gets it", () => {
  const asking = (retryAfterMs: number) => new PlatformError("model_rate_limited", { retryAfterMs });
  expect(retryDelayMs(1, asking(7_000))).toBe(7_000);
  expect(retryDelayMs(1, asking(3_600_000))).toBe(3_600_000);
  expect(retryDelayMs(30, asking(7_000))).toBe(60_000);
});
