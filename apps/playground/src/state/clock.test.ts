import { expect, test } from "vitest";
import { differenceOf } from "./clock.ts";

const AT = Date.parse("2026-11-30T06:00:00Z");
const DATE = "Mon, 30 Nov 2026 06:00:00 GMT";

test.each([
  ["no date", null, AT, AT, 0],
  ["no date of HTTP", "soon", AT, AT, 0],
  ["the same second", DATE, AT + 900, AT + 950, 0],
  ["a slow answer", DATE, AT - 9_000, AT + 1_000, 0],
  ["a computer that is an hour fast", DATE, AT + 3_600_000, AT + 3_601_000, -3_600_000],
  ["a computer that is an hour slow", DATE, AT - 3_600_000, AT - 3_599_000, 3_600_000],
])("the difference of the clocks with %s", (_what, date, sent, received, difference) => {
  expect(differenceOf(date, sent, received)).toBe(difference);
});
