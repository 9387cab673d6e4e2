import { expect, test } from "vitest";
import { GrowingText } from "./growing-text.ts";

test("pieces in any number make up the text, also between looks at it", () => {
  const text = new GrowingText();
  let expected = "";
  expect(text.isEmpty).toBe(true);
  for (let piece = 0; piece < 2_000; piece++) {
    text.append(`${piece} `);
    expected += `${piece} `;
    if (piece % 700 === 0) expect(`${text}`).toBe(expected);
  }
  expect(`${text}`).toBe(expected);
});

test("a replacement is the text from then on", () => {
  const text = new GrowingText();
  text.append("one");
  text.replace("two");
  text.append("");
  text.append(" three");
  expect(`${text}`).toBe("two three");
  text.replace("");
  expect(text.isEmpty).toBe(true);
});
