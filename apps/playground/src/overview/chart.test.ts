import { expect, test } from "vitest";
import { areaPath, linePath, niceTop, sampleAt, spotsOf } from "./chart.ts";

test.each([
  [0, 1],
  [Number.NaN, 1],
  [1, 1],
  [1.2, 2],
  [2, 2],
  [3, 5],
  [7, 10],
  [10, 10],
  [10.01, 20],
  [499, 500],
  [501, 1_000],
])("the top of a chart over %d is %d", (value, top) => {
  expect(niceTop(value)).toBe(top);
});

const frame = { from: 1_000, to: 2_000, top: 10 };
const samples = [
  { at: 0, value: 1 },
  { at: 1_000, value: 0 },
  { at: 1_250, value: 5 },
  { at: 1_500, value: null },
  { at: 1_750, value: 20 },
];

test("lines begin at the left edge, break where nothing was measured, and stay below the top", () => {
  expect(spotsOf(samples, frame)).toEqual([
    [
      { x: 0, y: 1 },
      { x: 0.25, y: 0.5 },
    ],
    [{ x: 0.75, y: 0 }],
  ]);
  expect(spotsOf([], frame)).toEqual([]);
});

test("paths fill their box; a lone value can be seen", () => {
  const lines = spotsOf(samples, frame);
  expect(linePath(lines, 100, 40)).toBe("M0 40L25 20M75 0h0.01");
  expect(areaPath(lines, 100, 40)).toBe("M0 40L25 20V40H0Z");
  expect([linePath([], 100, 40), areaPath([], 100, 40)]).toEqual(["", ""]);
});

test("the value at a time is the newest one until then", () => {
  expect(sampleAt(samples, 1_400)?.at).toBe(1_250);
  expect(sampleAt(samples, 9_000)?.at).toBe(1_750);
  expect(sampleAt(samples, -1)?.at).toBe(0);
  expect(sampleAt([], 0)).toBeUndefined();
});
