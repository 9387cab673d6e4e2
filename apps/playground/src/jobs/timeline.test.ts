import type { Attempt, JobStep } from "@agent-paas/client";
import { expect, test } from "vitest";
import { axisOf } from "./axis.ts";
import { jobTokensPerSecond, type Row, timelineOf, tokensPerSecond } from "./timeline.ts";

const BEGIN = Date.parse("2026-11-30T01:00:00.000Z");
const iso = (ms: number): string => new Date(BEGIN + ms).toISOString();

const attemptOf = (attempt: number, from: number, to: number | null, outcome: Attempt["outcome"]): Attempt => ({
  ...{ attempt, worker: "w", started_at: iso(from), ended_at: to === null ? null : iso(to), outcome },
});

const stepOf = (id: string, from: number, to: number | null, fields: Partial<JobStep> = {}): JobStep => ({
  ...{ id, parent_id: null, attempt: 1, kind: "tool", name: id, status: "completed" },
  ...{ started_at: iso(from), ended_at: to === null ? null : iso(to) },
  ...fields,
});

const waitFor = (name: string, from: number, to: number | null): JobStep =>
  stepOf(`wait ${from}`, from, to, { kind: "wait", name });

const timeline = (attempts: readonly Attempt[], steps: readonly JobStep[], clock = 0): readonly Row[] =>
  timelineOf({ attempts, steps }, BEGIN + clock);

/** `kind name from-to`, further in by its depth; `…` if it goes on. */
const drawn = (rows: readonly Row[]): readonly string[] =>
  rows.map(({ depth, kind, name, from, to, isOpen }) => {
    const times = `${from - BEGIN}-${to - BEGIN}${isOpen ? "…" : ""}`;
    return `${"  ".repeat(depth)}${[kind, name].filter(Boolean).join(" ")} ${times}`;
  });

test("the waits stand between the attempts, and steps within theirs, by their beginnings", () => {
  const attempts = [
    attemptOf(1, 100, 300, "suspended"),
    attemptOf(2, 900, 950, "lost"),
    attemptOf(3, 950, 1_000, "completed"),
  ];
  const steps = [
    waitFor("queue", 0, 100),
    stepOf("1", 110, 200, { kind: "delegate", name: "plan", agent_type: "chat" }),
    stepOf("2", 120, 190, { parent_id: "1", kind: "model" }),
    stepOf("3", 200, 250),
    waitFor("person", 300, 900),
    stepOf("4", 985, 999, { attempt: 3 }),
  ];
  expect(drawn(timeline(attempts, steps))).toEqual([
    "queue 0-100",
    "attempt 1 100-300",
    "  delegate plan · chat 110-200",
    "    model 2 120-190",
    "  tool 3 200-250",
    "person 300-900",
    "attempt 2 900-950",
    "attempt 3 950-1000",
    "  tool 4 985-999",
  ]);
});

test("what goes on ends now, by the clock of the platform if this one is slow", () => {
  const attempts = [attemptOf(1, 100, null, null)];
  const steps = [waitFor("queue", 0, 100), stepOf("1", 150, null, { status: "running" })];
  expect(drawn(timeline(attempts, steps, 700)).slice(1)).toEqual(["attempt 1 100-700…", "  tool 1 150-700…"]);
  expect(drawn(timeline(attempts, steps, -9_000)).slice(1)).toEqual(["attempt 1 100-150…", "  tool 1 150-150…"]);
});

test("a wait of no length is left out, one that goes on is not", () => {
  expect(drawn(timeline([attemptOf(1, 0, 10, "failed")], [waitFor("queue", 0, 0)]))).toEqual(["attempt 1 0-10"]);
  expect(drawn(timeline([], [waitFor("queue", 0, null)]))).toEqual(["queue 0-0…"]);
});

test("steps whose outer one or whose attempt was left out stand by themselves", () => {
  const steps = [stepOf("3", 10, 20, { attempt: 1 }), stepOf("9", 200, 300, { parent_id: "4", attempt: 2 })];
  expect(drawn(timeline([attemptOf(2, 100, 1_000, "completed")], steps))).toEqual([
    "  tool 3 10-20",
    "attempt 2 100-1000",
    "  tool 9 200-300",
  ]);
});

test("speed counts from the first token, over the turns that say something of it", () => {
  const tokens = (output_tokens: number) => ({ input_tokens: 1, output_tokens, total_tokens: output_tokens + 1 });
  const turn = (id: string, fields: Partial<JobStep>) => stepOf(id, 100, 700, { kind: "model", ...fields });
  const steps = [
    turn("1", { first_token_at: iso(200), usage: tokens(100) }),
    turn("2", { usage: tokens(30) }),
    turn("3", {}),
    turn("4", { ended_at: null, usage: tokens(9) }),
    turn("5", { ended_at: iso(120), usage: tokens(9) }),
    turn("6", { kind: "tool", usage: tokens(9) }),
  ];
  const rows = timeline([attemptOf(1, 100, 1_000, "completed")], steps);
  expect(rows.slice(1).map(tokensPerSecond)).toEqual([200, 50, null, null, null, null]);
  expect(jobTokensPerSecond(rows)).toBeCloseTo(130 / 1.1);
  expect(jobTokensPerSecond([])).toBeNull();
});

test("an axis without long waits has round times", () => {
  const axis = axisOf(timeline([attemptOf(1, 100, 1_000, "completed")], [waitFor("queue", 0, 100)]));
  expect(axis.ticks.map(({ ms }) => ms)).toEqual([0, 200, 400, 600, 800]);
  expect([0, 100, 1_000, 9_000].map((ms) => axis.at(BEGIN + ms))).toEqual([0, 0.1, 1, 1]);
});

test("a wait that is far longer than the work is drawn short", () => {
  const day = 86_400_000;
  const attempts = [attemptOf(1, 0, 1_000, "suspended"), attemptOf(2, day, day + 1_000, "completed")];
  const rows = timeline(attempts, [waitFor("person", 1_000, day)]);
  const axis = axisOf(rows);
  expect(rows.map(axis.isShortened)).toEqual([false, true, false]);
  // Work of 2 s, and a wait that counts as 0.7 s.
  expect([0, 500, 1_000, day, day + 1_000].map((ms) => axis.at(BEGIN + ms) * 2.7)).toEqual(
    [0, 0.5, 1, 1.7, 2.7].map((part) => expect.closeTo(part)),
  );
  expect(axis.ticks.map(({ ms }) => ms)).toEqual([0, 1_000, day]);
});

test("an axis of nothing has no ticks", () => {
  expect(axisOf([]).ticks).toEqual([]);
});
