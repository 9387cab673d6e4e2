import { expect, test } from "vitest";
import { NumberOutOfRange, parseJson } from "./exact-json.ts";

test.each([
  "9007199254740993",
  "-9007199254740993",
  '{"id":12345678901234567890,"list":[1,-98765432109876543210]}',
  `[${"9".repeat(1_000)}]`,
  '{"__proto__":12345678901234567890}',
  "[ 12345678901234567890 ,\n12345678901234567891]",
])("an integer beyond 2^53 is written as it was read: %s", (text) => {
  expect(JSON.stringify(parseJson(text))).toBe(text.replaceAll(/\s/g, ""));
});

test.each(["0", "-1", "9007199254740991", "1.5", "1e21", '"12345678901234567890"', '"a 12345678901234567890"', "null"])(
  "all other JSON is read as ever: %s",
  (text) => {
    expect(parseJson(text)).toBe(JSON.parse(text));
  },
);

test("a decimal with more digits than a double has is the nearest double", () => {
  expect(parseJson("[0.12345678901234567890]")).toEqual([0.12345678901234568]);
});

test.each(["1e400", "-1e+400", "[1.5E309]", `{"n":${"9".repeat(1_001)}}`, `${"9".repeat(300)}e99`])(
  "a number out of range is refused and does not become null: %s",
  (text) => {
    expect(() => parseJson(text)).toThrow(NumberOutOfRange);
  },
);

test("a bigint is written as an integer wherever it stands, also in an indented text", () => {
  expect(JSON.stringify({ a: [12345678901234567890n] }, null, 1)).toBe('{\n "a": [\n  12345678901234567890\n ]\n}');
});
