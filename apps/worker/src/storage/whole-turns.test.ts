import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { expect, test } from "vitest";
import { encodeWholeTurns, type WholeTurn } from "./whole-turns.ts";

const MOST = 4 * 1_024 * 1_024;

/** A turn with one call, its reasoning and the result of the call. */
const turnOf = (turn: number, { reasoning = "", result = "" }): WholeTurn => ({
  turn,
  messages: [
    { role: "assistant", content: "", toolCalls: [{ id: "1", name: "look", arguments: "{}" }], reasoning },
    { role: "tool", callId: "1", content: result },
  ],
});

/** Each kept turn's number with the length of its reasoning; and the size of all together. */
function keptOf(...turns: readonly WholeTurn[]) {
  const encoded = encodeWholeTurns(turns);
  if (encoded === null) return null;
  expect(Buffer.byteLength(encoded.turns)).toBe(encoded.bytes);
  const kept = parseJson(encoded.turns) as readonly WholeTurn[];
  const reasonings = kept.map(({ turn, messages: [message] }) => [
    turn,
    message?.role === "assistant" ? message.reasoning?.length : null,
  ]);
  return { bytes: encoded.bytes, reasonings };
}

test("a turn keeps its reasoning up to the byte at which all that is kept would be too large", () => {
  const room = MOST - (keptOf(turnOf(1, {}))?.bytes ?? 0);
  expect(keptOf(turnOf(1, { reasoning: "r".repeat(room) }))).toEqual({ bytes: MOST, reasonings: [[1, room]] });
  expect(keptOf(turnOf(1, { reasoning: "r".repeat(room + 1) }))?.reasonings).toEqual([[1, undefined]]);
  // Three bytes each.
  expect(keptOf(turnOf(1, { reasoning: "图".repeat(room / 3 + 1) }))?.reasonings).toEqual([[1, undefined]]);
});

test("turns share the room: the latest are kept, and none behind one that does not fit", () => {
  const result = "x".repeat(MOST / 2);
  const turns = [turnOf(1, {}), turnOf(2, { result }), turnOf(3, { result, reasoning: "Hm" })];
  expect(keptOf(...turns)?.reasonings).toEqual([[3, 2]]);
  expect(keptOf(turnOf(1, { result: "x".repeat(MOST) }))).toBeNull();
});
