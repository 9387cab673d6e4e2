/** The grammar of directive blocks: reading, writing and refusing them. */
import { describe, expect, test } from "vitest";
import { formatDirectives, parseDirectives } from "./directives.ts";
import type { DirectivesInput } from "./step.ts";

describe("directives", () => {
  test("directives are read anywhere in the message and removed from it", () => {
    expect(parseDirectives("Say it [[tokens=200 rate=50 ttft=100 stamp=1]]")).toEqual({
      directives: { tokens: 200, rate: 50, ttft: 100, stamp: true },
      plain: "Say it",
    });
  });

  test("text= holds any text with % escapes", () => {
    expect(parseDirectives("[[text=%E4%BD%A0好%20%5D%5D%0A]]").directives).toEqual({ text: "你好 ]]\n" });
  });

  test("calls= holds model turns of parallel calls, with brackets and spaces in the JSON", () => {
    const { directives, plain } = parseDirectives(
      'a [[calls=f({"x": "a)]] \\" b"});g([[1], 2])|h() fault=500 turn=1]] b',
    );
    expect(directives).toEqual({
      calls: [
        [
          { name: "f", arguments: '{"x": "a)]] \\" b"}' },
          { name: "g", arguments: "[[1], 2]" },
        ],
        [{ name: "h", arguments: "{}" }],
      ],
      fault: 500,
      turn: 1,
    });
    expect(plain).toBe("a  b");
  });

  test.each([
    { tokens: 3, lang: "zh", fault: "cut", after: 2 },
    { text: "100% [[nested=1]] “好”\n", stamp: false },
    { fault: 429, retry_after: 0.5, times: 2 },
    { calls: [[{ name: "f", arguments: '{"a": [1]}' }], [{ name: "g", arguments: "{}" }]] },
  ] satisfies DirectivesInput[])(
    "formatDirectives writes a block that parseDirectives reads back: %j",
    (directives) => {
      expect(parseDirectives(`x ${formatDirectives(directives)}`)).toEqual({ directives, plain: "x" });
    },
  );

  test.each(["no block", "[[wiki link]]", "if [[ -f x ]]; then", "a[[0]] = 1"])(
    "ordinary text is not parsed as directives: %s",
    (text) => {
      expect(parseDirectives(text)).toEqual({ directives: undefined, plain: text });
    },
  );

  test.each([
    ["[[token=5]]", /token/],
    ["[[tokens=many]]", /tokens/],
    ["[[fault=418]]", /fault/],
    ["[[tokens=5", /expected/],
    ["[[tokens=5 and more]]", /' and more/],
    ["[[text=%zz]]", /% escape/],
    ["[[calls=f({]]", /name\(JSON\)/],
    ["[[calls=f]]", /name\(JSON\)/],
  ])("invalid directives are refused: %s", (text, message) => {
    expect(() => parseDirectives(text)).toThrow(message);
  });
});
