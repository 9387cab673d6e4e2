import { expect, test } from "vitest";
import { decodeOpenTurn, encodeOpenTurn, type OpenTurn } from "./open-turn.ts";

const MIB = 1_024 * 1_024;

/** A turn with one call of the client, whose arguments and reasoning have so many characters. */
function openTurn({ args, reasoning }: { readonly args: number; readonly reasoning: number }): OpenTurn {
  const call = { name: "look", arguments: JSON.stringify({ at: "x".repeat(args - '{"at":""}'.length) }) };
  return {
    calls: [{ call_id: "1", ...call }],
    turn: 1,
    message: { role: "assistant", content: "", toolCalls: [{ id: "1", ...call }], reasoning: "r".repeat(reasoning) },
    tools: [],
  };
}

/** What is kept of it: its size, its reasoning's, and whether the calls are whole. */
function keptOf(turn: OpenTurn) {
  const text = encodeOpenTurn(turn);
  const kept = decodeOpenTurn(text);
  expect([kept?.calls, kept?.message.toolCalls]).toEqual([turn.calls, turn.message.toolCalls]);
  return { chars: text.length, reasoning: kept?.message.reasoning?.length };
}

test("a turn keeps its reasoning if all that is kept of it together is small enough", () => {
  // The arguments are kept twice: for the client, and as the provider wants them back.
  const fitting = keptOf(openTurn({ args: 300_000, reasoning: 400_000 }));
  expect(fitting).toMatchObject({ reasoning: 400_000 });
  expect(fitting.chars).toBeLessThanOrEqual(MIB);
  const room = MIB - fitting.chars;
  expect(keptOf(openTurn({ args: 300_000, reasoning: 400_000 + room }))).toEqual({
    chars: MIB,
    reasoning: 400_000 + room,
  });
  const larger = keptOf(openTurn({ args: 300_000, reasoning: 400_000 + room + 1 }));
  expect(larger).toMatchObject({ reasoning: undefined });
  expect(larger.chars).toBeLessThan(MIB);
});

test("calls that are too large by themselves are kept whole, without the reasoning", () => {
  expect(keptOf(openTurn({ args: MIB, reasoning: 10 }))).toMatchObject({ reasoning: undefined });
});
