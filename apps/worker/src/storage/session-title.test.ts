import { expect, test } from "vitest";
import { titleOf } from "./session-title.ts";

const FAMILY = "👨‍👩‍👧‍👦";

test.each([
  ["the text itself, if it is short", "How warm is it?", "How warm is it?"],
  ["one line", "  First\n\n\tsecond\u2028third\u0000 ", "First second third"],
  ["the first 80 characters", "天气".repeat(50), "天气".repeat(40)],
  ["no part of a grapheme", `${"a".repeat(75)}${FAMILY}b`, "a".repeat(75)],
  ["no part of an accented letter", `${"a".repeat(79)}e\u0301b`, "a".repeat(79)],
  ["a whole grapheme that just fits", `${"a".repeat(69)}${FAMILY}bc`, `${"a".repeat(69)}${FAMILY}`],
  ["no space at its end", `${"a".repeat(79)} ${"b".repeat(9)}`, "a".repeat(79)],
  ["a part of a grapheme that is longer than a title", `e${"\u0301".repeat(200)}`, `e${"\u0301".repeat(79)}`],
])("the title is %s", (_, message, title) => {
  expect(titleOf(message)).toBe(title);
});

test("a message of white space alone gives no title", () => {
  expect([titleOf(""), titleOf(" \n\t")]).toEqual([null, null]);
});
