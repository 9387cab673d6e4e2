import { expect, test } from "vitest";
import { median, quantile, rangeOf, spreadOf } from "./statistics.ts";

test("a quantile is one of the values, chosen by nearest rank", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  expect([0, 0.01, 0.5, 0.99, 1].map((share) => quantile(hundred, share))).toEqual([1, 1, 50, 99, 100]);
  expect(quantile([7], 0.5)).toBe(7);
});

test("a spread does not depend on the order of the values", () => {
  expect(spreadOf([3, 1, 2])).toEqual({ p50: 2, p95: 3, p99: 3, max: 3 });
});

test("the median of an even number of values is the mean of the middle two", () => {
  expect(median([5, 1, 3])).toBe(3);
  expect(median([4, 1, 2, 100])).toBe(3);
  expect(rangeOf([2, 9, 4])).toEqual({ median: 4, min: 2, max: 9 });
});

test("statistics without values are NaN", () => {
  expect(median([])).toBeNaN();
  expect(spreadOf([]).p99).toBeNaN();
});
