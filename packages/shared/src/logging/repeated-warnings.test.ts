import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { logRepeatedly } from "./repeated-warnings.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function openLog() {
  const lines: [string, object][] = [];
  const log = (fields: object, text: string) => void lines.push([text, fields]);
  const logger = { info: log, warn: log } as unknown as Parameters<typeof logRepeatedly>[0];
  return { lines, warn: (fields: object, text: string) => logRepeatedly(logger, "warn", { ...fields }, text) };
}

const SAY_AGAIN = 30_000;

test("the first of the same warnings is logged at once, the others once in 30 s with their count", () => {
  const { lines, warn } = openLog();
  for (let at = 1; at <= 81; at++) warn({ at }, "failed");
  expect(lines).toEqual([["failed", { at: 1 }]]);
  vi.advanceTimersByTime(SAY_AGAIN);
  expect(lines.slice(1)).toEqual([["failed", { at: 81, repeated: 80 }]]);
  warn({ at: 82 }, "failed");
  vi.advanceTimersByTime(SAY_AGAIN);
  expect(lines.slice(2)).toEqual([["failed", { at: 82, repeated: 1 }]]);
});

test("a warning that comes again after 30 s of silence is logged at once", () => {
  const { lines, warn } = openLog();
  warn({}, "failed");
  vi.advanceTimersByTime(SAY_AGAIN);
  warn({}, "failed");
  expect(lines).toHaveLength(2);
});

test("another text and another kind of error are other warnings, another message of the same kind is not", () => {
  const { lines, warn } = openLog();
  warn({ err: new Error("READONLY replica 1") }, "failed");
  warn({ err: new Error("READONLY replica 2") }, "failed");
  expect(lines).toHaveLength(1);
  warn({ err: new Error("MISCONF disk") }, "failed");
  warn({ err: new Error("READONLY replica 1") }, "failed too");
  warn({ err: Object.assign(new Error("connect"), { code: "ECONNREFUSED" }) }, "failed");
  expect(lines).toHaveLength(4);
});

test("texts that vary without end are one warning after the first 200", () => {
  const { lines, warn } = openLog();
  for (let number = 0; number < 1_000; number++) warn({}, `failed ${number}`);
  expect(lines).toHaveLength(201);
  vi.advanceTimersByTime(SAY_AGAIN);
  expect(lines.slice(201)).toEqual([["failed 999", { repeated: 799 }]]);
});
