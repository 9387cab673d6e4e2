import { fullerTimeline, parseTimeline, type Timeline } from "@agent-paas/shared/contract/timeline.ts";
import { expect, test } from "vitest";
import { createJobTimeline } from "./job-timeline.ts";

/** A timeline whose clock goes on by one millisecond with each reading. */
function ticking(earlier: string | null = null, attempted = 0) {
  let at = 0;
  let changes = 0;
  const onChange = () => changes++;
  const timeline = createJobTimeline({ earlier: parseTimeline(earlier), attempted, now: () => ++at, onChange });
  const read = () => parseTimeline(timeline.encode()) ?? expect.fail("it is no timeline");
  return { ...timeline, read, changes: () => changes };
}

const USAGE = { input_tokens: 3, output_tokens: 2, total_tokens: 5, models: {} };

test("a step has its attempt, its parent, its times, and what its end says of it", () => {
  const { beginAttempt, steps, endAttempt, read } = ticking();
  beginAttempt(1, "w");
  const child = steps.begin({ kind: "delegate", name: "facts", agent: "chat_basic" });
  const turn = child.steps.begin({ kind: "model", name: "asked" });
  turn.firstToken();
  turn.firstToken();
  turn.end("completed", { usage: USAGE, name: "answered" });
  turn.end("failed");
  child.end("completed");
  endAttempt("completed");
  const { models: _, ...usage } = USAGE;
  expect(read()).toEqual({
    attempts: [{ attempt: 1, worker: "w", started: 1, ended: 7, outcome: "completed" }],
    steps: [
      {
        ...{ id: 1, parent: null, attempt: 1, kind: "delegate", name: "facts", agent: "chat_basic" },
        ...{ status: "completed", started: 2, ended: 6 },
      },
      {
        ...{ id: 2, parent: 1, attempt: 1, kind: "model", name: "answered", status: "completed" },
        ...{ started: 3, first_token: 4, ended: 5, usage },
      },
    ],
    truncated: false,
  });
});

test("an attempt that ends interrupts what runs still, and the last word on its outcome counts", () => {
  const { beginAttempt, steps, endAttempt, read } = ticking();
  beginAttempt(1, "w");
  const open = steps.begin({ kind: "tool", name: "pay" });
  endAttempt("completed");
  endAttempt("failed");
  open.end("completed");
  expect(read().attempts).toMatchObject([{ outcome: "failed" }]);
  expect(read().steps).toMatchObject([{ status: "interrupted" }]);
});

test("what an earlier attempt left stays, and one without an end was lost with its worker", () => {
  const first = ticking();
  first.beginAttempt(1, "a");
  first.steps.begin({ kind: "model", name: "m" });
  const second = ticking(first.encode());
  second.beginAttempt(2, "b");
  second.steps.begin({ kind: "model", name: "m" }).end("completed");
  expect(second.read().attempts).toMatchObject([
    { attempt: 1, worker: "a", outcome: "lost", ended: 1 },
    { attempt: 2, worker: "b", outcome: null, ended: null },
  ]);
  expect(second.read().steps).toMatchObject([
    { id: 1, attempt: 1, status: "interrupted", ended: 1 },
    { id: 2, attempt: 2, status: "completed" },
  ]);
});

test("an attempt that left nothing counts as left out", () => {
  const first = ticking();
  first.beginAttempt(1, "a");
  const later = (earlier: string | null, attempt: number) => {
    const { beginAttempt, read } = ticking(earlier, attempt - 1);
    beginAttempt(attempt, "b");
    return read().truncated;
  };
  expect([later(first.encode(), 2), later(first.encode(), 3), later(null, 1), later(null, 2)]).toEqual([
    ...[false, true, false, true],
  ]);
});

test("of two accounts that end with one attempt the one counts that knows how it ended", () => {
  const live = ticking();
  live.beginAttempt(1, "a");
  const known = live.read();
  live.endAttempt("suspended");
  const suspended = live.read();
  expect(fullerTimeline(known, suspended)).toBe(suspended);
  expect(fullerTimeline(suspended, known)).toBe(suspended);
  const next = { ...known, attempts: [{ ...known.attempts[0], attempt: 2 }] } as Timeline;
  expect(fullerTimeline(suspended, next)).toBe(next);
});

test("the latest 500 steps are kept, and those that run are among them", () => {
  const { beginAttempt, steps, read } = ticking();
  beginAttempt(1, "w");
  const child = steps.begin({ kind: "delegate", name: "long", agent: "chat_basic" });
  for (let at = 0; at < 600; at++) child.steps.begin({ kind: "tool", name: "n".repeat(900) }).end("completed");
  const { steps: kept, truncated } = read();
  expect([kept.length, truncated, kept[0]?.name, kept.at(-1)?.id]).toEqual([500, true, "long", 601]);
  expect(Math.max(...kept.map(({ name }) => name.length))).toBe(120);
});

test("a step that was no work leaves nothing, and every change is told", () => {
  const { beginAttempt, steps, read, changes } = ticking();
  beginAttempt(1, "w");
  const before = changes();
  const step = steps.begin({ kind: "tool", name: "replayed" });
  expect(changes()).toBe(before + 1);
  step.drop();
  expect([read().steps, changes()]).toEqual([[], before + 2]);
});

test("what another version wrote and this one cannot read is no timeline", () => {
  for (const text of ["{}", "[", '{"attempts":[{"attempt":"one"}],"steps":[],"truncated":false}', null, undefined]) {
    expect(parseTimeline(text)).toBeNull();
  }
});
