import { expect, test } from "vitest";
import { createTurnFit } from "./fit-turn.ts";

type Row = Parameters<ReturnType<typeof createTurnFit>["add"]>[0];
const row = (role: string, tokens_used: number, content = "x", tokens?: number): Row => ({
  ...{ role: role as Row["role"], content, tokens_used },
  open_turn: tokens === undefined ? null : { tokens },
});

const TURN = [row("user", 2), row("tool", 5), row("tool", 6), row("assistant", 3)];

/** The roles that fit, the oldest first, and their tokens; null: the turn does not fit. */
function fitted(turn: readonly Row[], maxTokens: number, withCalls = true) {
  const fit = createTurnFit(maxTokens, withCalls);
  for (const message of turn.toReversed()) fit.add(message);
  if (fit.isOver()) return null;
  const { rows, tokens } = fit.fitting();
  return [rows.map(({ role }) => role).toReversed(), tokens];
}

test("a turn fits whole, or without all of its calls, or not at all", () => {
  expect(fitted(TURN, 16)).toEqual([["user", "tool", "tool", "assistant"], 16]);
  expect(fitted(TURN, 15)).toEqual([["user", "assistant"], 5]);
  expect(fitted(TURN, 5)).toEqual([["user", "assistant"], 5]);
  expect(fitted(TURN, 4)).toBeNull();
});

test("calls are left out for an agent that offers no tools, and so are messages of roles that nobody knows", () => {
  expect(fitted(TURN, 16, false)).toEqual([["user", "assistant"], 5]);
  expect(fitted([row("user", 2), row("system", 100)], 2)).toEqual([["user"], 2]);
});

test("what says nothing counts as well, and is left out with the calls", () => {
  const rounds = Array.from({ length: 10 }, () => [row("assistant", 0, "", 3), row("tool", 0, "")]).flat();
  const turn = [row("user", 2), ...rounds, row("assistant", 3)];
  expect(fitted(turn, 45)?.[1]).toBe(45);
  expect(fitted(turn, 44)).toEqual([["user", "assistant"], 5]);
});

test("of a turn without an end nothing is held that does not fit", () => {
  const fit = createTurnFit(100, true);
  for (let round = 0; round < 100_000; round++) fit.add(row("tool", 0, ""));
  expect([fit.takesCalls(), fit.isOver(), fit.fitting().rows]).toEqual([false, false, []]);
});
