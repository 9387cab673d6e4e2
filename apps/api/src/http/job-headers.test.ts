import { expect, test } from "vitest";
import { readTraceparent } from "./job-headers.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT_ID = "00f067aa0ba902b7";

test("a valid traceparent is taken over as it is", () => {
  const header = `00-${TRACE_ID}-${PARENT_ID}-01`;
  expect(readTraceparent(header)).toBe(header);
});

test.each([
  ["missing", undefined],
  ["empty", ""],
  ["truncated", `00-${TRACE_ID}`],
  ["upper-case", `00-${TRACE_ID.toUpperCase()}-${PARENT_ID}-01`],
  ["of version ff", `ff-${TRACE_ID}-${PARENT_ID}-01`],
  ["without a trace id", `00-${"0".repeat(32)}-${PARENT_ID}-01`],
  ["without a parent id", `00-${TRACE_ID}-${"0".repeat(16)}-01`],
  ["sent twice", `00-${TRACE_ID}-${PARENT_ID}-01, 00-${TRACE_ID}-${PARENT_ID}-01`],
])("a traceparent that is %s is ignored", (_fault, header) => {
  expect(readTraceparent(header)).toBeUndefined();
});
