import { expect, test } from "vitest";
import { fitTurn } from "./fit-turn.ts";

const TURN = [
  { role: "user", tokens_used: 2, open_turn: null },
  { role: "tool", tokens_used: 5, open_turn: null },
  { role: "tool", tokens_used: 6, open_turn: null },
  { role: "assistant", tokens_used: 3, open_turn: null },
] as const;

const rolesOf = (maxTokens: number, withCalls = true) =>
  fitTurn(TURN, maxTokens, withCalls)?.map(({ role }) => role) ?? null;

test("a turn fits whole, or without all of its calls, or not at all", () => {
  expect(rolesOf(16)).toEqual(["user", "tool", "tool", "assistant"]);
  expect(rolesOf(15)).toEqual(["user", "assistant"]);
  expect(rolesOf(5)).toEqual(["user", "assistant"]);
  expect(rolesOf(4)).toBeNull();
});

test("calls are left out for an agent that offers no tools, and so are messages of roles that nobody knows", () => {
  expect(rolesOf(16, false)).toEqual(["user", "assistant"]);
  const later = [TURN[0], { role: "system", tokens_used: 100, open_turn: null } as const];
  expect(fitTurn(later, 2, true)).toEqual([TURN[0]]);
});
