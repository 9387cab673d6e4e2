import { expect, test } from "vitest";
import { cutText, wellFormedJson } from "./text.ts";

test("a cut never leaves half of a character", () => {
  expect([1, 2, 3, 4].map((chars) => cutText("a😀b", chars))).toEqual(["a", "a", "a😀", "a😀b"]);
});

test("halves of surrogate pairs leave a JSON text, and escaped backslashes stay", () => {
  for (const value of ["\ud83d", "\\ud83d", "\\\ud83d", "😀", "\ude00\ud83d"]) {
    expect(JSON.parse(wellFormedJson(JSON.stringify(value)))).toBe(value.toWellFormed());
  }
});
