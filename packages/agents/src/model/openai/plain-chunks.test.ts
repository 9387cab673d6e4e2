import { describe, expect, test } from "vitest";
import { createChunkReader } from "./chunks.ts";
import type { Piece } from "./pieces.ts";

const chunk = (content: string, more: object = {}) =>
  JSON.stringify({ id: "c1", choices: [{ index: 0, delta: { content }, finish_reason: null, ...more }], usage: null });

/** The pieces of these chunks, read one behind the other. */
function piecesOf(chunks: readonly string[]): Piece[] {
  const pieces: Piece[] = [];
  const reader = createChunkReader((piece) => pieces.push(piece));
  for (const each of chunks) reader.read(each);
  return pieces;
}

/** What they are without what went before. */
const alone = (chunks: readonly string[]): Piece[] => chunks.flatMap((each) => piecesOf([each]));

const ODD = [
  ...["", " ", "\n", '"', "\\", '\\"', "a\\", '"}', '","content":"b', "\u0000", "\u2028", "😀", "\ud83d", "你好"],
  ...["twelve chars", "thirteen char", "x".repeat(10_000), "a", "b", "</think>", "[DONE]", "data: a"],
];

test("chunks that differ in their text alone are read like any other, whatever it is", () => {
  const chunks = [chunk("a"), ...ODD.map((text) => chunk(text)), chunk("b")];
  expect(piecesOf(chunks)).toEqual(alone(chunks));
  // As servers in Python write it.
  const escaped = ["\\u4f60\\u597d", "a", "\\ud83d\\ude00", "\\/", "\\u0022"].map((text) =>
    chunk("X").replace("X", () => text),
  );
  expect(piecesOf(escaped)).toEqual(alone(escaped));
});

describe("a chunk behind a plain one is read as a whole", () => {
  test.each<[string, string]>([
    ["with an end", chunk("b", { finish_reason: "stop" })],
    ["of another choice", chunk("b", { index: 1 })],
    ["with a usage", chunk("b").replace('"usage":null', '"usage":{"total_tokens":3}')],
    ["with an error", chunk("b").replace('"usage":null', '"usage":null,"error":{"message":"no"}')],
    ["with another field", '{"id":"c1","choices":[{"index":0,"delta":{"content":"b","refusal":"No."}}]}'],
    ["whose content is a list", chunk("").replace('"content":""', '"content":[{"type":"thinking","thinking":"b"}]')],
    ["whose content is null", chunk("").replace('"content":""', '"content":null')],
    ["whose content holds another field", chunk("").replace('"content":""', '"content":"b","reasoning":"c"')],
    ["that is shorter", "{}"],
  ])("%s", (_, other) => {
    const chunks = [chunk("a"), chunk("b"), other, chunk("c")];
    // Behind a list of content the text is kept for the list, too.
    expect(piecesOf(chunks).filter(({ type }) => type !== "extra")).toEqual(
      alone(chunks).filter(({ type }) => type !== "extra"),
    );
  });
});

test("a chunk that was cut, or has a raw control character, is none", () => {
  for (const cut of ['{"id":"c1","choices":[{"index":0,"delta":{"content":"b', chunk("b").replace("b", "b\u0007")]) {
    expect(() => piecesOf([chunk("a"), cut])).toThrow(SyntaxError);
  }
});

test("content of the same name elsewhere is not taken for the answer's", () => {
  const other = (content: string, text: string) =>
    JSON.stringify({ context: { content }, choices: [{ index: 0, delta: { content: text } }] });
  for (const first of ["a", "b", "x"]) {
    const chunks = [other(first, first), other("b", "a"), other("b", "c"), other("y", "x")];
    expect(piecesOf(chunks)).toEqual(alone(chunks));
  }
});

test("a form that changes with every chunk, or now and then, is read all the same", () => {
  const chunks = Array.from({ length: 100 }, (_, at) => `{"created":${at % 7 === 0 ? at : 1},${chunk("a").slice(1)}`);
  expect(piecesOf(chunks)).toEqual(alone(chunks));
  const veiled = Array.from({ length: 20 }, (_, at) => chunk("a", { obfuscation: "x".repeat(at) }));
  expect(piecesOf(veiled)).toEqual(alone(veiled));
});
