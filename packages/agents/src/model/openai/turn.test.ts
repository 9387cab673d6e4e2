import { expect, test } from "vitest";
import type { Piece } from "./pieces.ts";
import { createTurn } from "./turn.ts";

const LONG = "x".repeat(100_000);

test.each<Piece>([
  { type: "text", content: LONG },
  { type: "reasoning", content: LONG },
  { type: "refusal", content: LONG },
  { type: "tool_call", call: { index: 0, id: "a", name: "f", arguments: LONG, extra: null } },
  { type: "tool_call", call: { index: 0, id: "a", name: "f", arguments: "", extra: { extra_content: LONG } } },
])("a turn of endless $type is refused", (piece) => {
  const turn = createTurn({ show: () => {}, origin: "", keepsTags: false });
  const add = () => {
    for (let times = 0; times < 100; times++) turn.add(piece);
  };
  expect(add).toThrow(expect.objectContaining({ code: "budget_exhausted" }));
});
