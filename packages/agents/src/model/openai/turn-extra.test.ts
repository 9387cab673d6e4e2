import { expect, test } from "vitest";
import { MOST_SCANS, slownessOf } from "../../../../../test/support/slowness.ts";
import { createTurnExtra } from "./turn-extra.ts";

/** What goes back of pieces of one field. */
function fieldsOf(name: string, pieces: readonly unknown[], reasoning = "So.") {
  const extra = createTurnExtra();
  for (const piece of pieces) extra.add(name, piece);
  return extra.fields(reasoning);
}

const text = (text: string, more: object = {}) => ({ type: "reasoning.text", text, ...more });

test.each([
  ["of one index are one", [[text("a", { index: 0 })], [text("b", { index: 0 })]], [text("ab", { index: 0 })]],
  [
    "of two indexes are two, also when they come mixed",
    [
      [text("a", { index: 0 }), text("b", { index: 1 })],
      [text("c", { index: 1 }), text("d", { index: 0 })],
    ],
    [text("ad", { index: 0 }), text("bc", { index: 1 })],
  ],
  [
    "of one index and two types are two",
    [[text("a", { index: 0 })], [{ type: "reasoning.encrypted", data: "x", index: 0 }]],
    [text("a", { index: 0 }), { type: "reasoning.encrypted", data: "x", index: 0 }],
  ],
  [
    "of one index and two ids are two",
    [[text("a", { index: 0, id: "r1" })], [text("b", { index: 0, id: "r2" })]],
    [text("a", { index: 0, id: "r1" }), text("b", { index: 0, id: "r2" })],
  ],
  ["without an index continue the last one", [[text("a")], [text("b")]], [text("ab")]],
  ["without an index begin anew behind a signature", [[text("a", { signature: "s" })], [text("b")]], 2],
  ["that come in one chunk without an index are as many", [[text("a"), text("b")]], [text("a"), text("b")]],
  [
    "get what comes late, and null takes nothing away",
    [
      [text("a", { index: 0, signature: null })],
      [{ index: 0, signature: "s", format: "f" }],
      [text("", { index: 0, signature: null })],
    ],
    [text("a", { index: 0, signature: "s", format: "f" })],
  ],
  [
    "that are encrypted and repeated are one",
    [[{ type: "e", index: 0, data: "x" }], [{ type: "e", index: 0, data: "x" }]],
    [{ type: "e", index: 0, data: "x" }],
  ],
  ["of no known form stay as they are", [["a", 1], ["b"]], ["a", 1, "b"]],
])("parts %s", (_, pieces, parts) => {
  const found = fieldsOf("reasoning_details", pieces).reasoning_details;
  if (typeof parts === "number") expect(found).toHaveLength(parts);
  else expect(found).toEqual(parts);
});

test("fields that say nothing, or nothing that is signed, do not go back", () => {
  expect(fieldsOf("reasoning_details", [[], [{ type: "", text: null }]])).toEqual({});
  expect(fieldsOf("provider_specific_fields", [{ citations: [{ url: "u" }] }])).toEqual({});
  expect(fieldsOf("extra_content", [{ google: { thought: true } }])).toEqual({});
  expect(fieldsOf("content", [[{ type: "thinking", thinking: [{ type: "text", text: "So." }] }]])).toEqual({});
  expect(fieldsOf("thinking_blocks", [[{ type: "thinking", thinking: "So." }]])).toEqual({});
});

test("names that every object has are fields like others", () => {
  const pieces = [
    '{"type":"constructor","index":0,"text":"a"}',
    '{"index":0,"__proto__":{"signature":"s"},"text":"b"}',
  ];
  const [found] = [
    fieldsOf(
      "thinking_blocks",
      pieces.map((piece) => [JSON.parse(piece)]),
    ).thinking_blocks,
  ].flat();
  expect(found).toEqual({ type: "constructor", index: 0, text: "ab" });
  expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
});

test("many parts take linear time and are bounded", { timeout: 60_000 }, () => {
  for (const part of [{ text: "a" }, { index: 1, text: "a" }, { signature: "s" }, "a"]) {
    const work = (input: string) => {
      const extra = createTurnExtra();
      for (let at = 0; at < input.length / 16; at++) {
        extra.add("reasoning_details", [typeof part === "string" ? `${at}` : { ...part, id: `${at}` }]);
      }
      expect([extra.fields("").reasoning_details].flat().length).toBeLessThanOrEqual(1_000);
    };
    expect(slownessOf("x".repeat(65_536), work)).toBeLessThan(MOST_SCANS * 10);
  }
});
