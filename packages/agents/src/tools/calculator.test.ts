import { describe, expect, test } from "vitest";
import { calculator } from "./calculator.ts";
import { type ToolContext, ToolError } from "./tool.ts";

const context = {} as ToolContext;
const calculate = async (expression: string) =>
  (await calculator.call(calculator.parse({ expression }), context)) as string;

describe("the calculator gives the value", () => {
  test.each([
    ["1 + 2 * 3", "7"],
    ["(1 + 2) * 3", "9"],
    ["8 / 4 / 2", "1"],
    ["2 - 3 - 4", "-5"],
    ["2 ^ 3 ^ 2", "512"],
    ["2 ** 3 ** 2", "512"],
    ["-2 ^ 2", "-4"],
    ["(-2) ^ 2", "4"],
    ["2 ^ -1", "0.5"],
    ["--5 - -5 + +5", "15"],
    ["-3!", "-6"],
    ["2 ^ 3!", "64"],
    ["3!!", "720"],
    ["-7 % 3", "2"],
    ["7 % (-3)", "-2"],
    ["0.1 + 0.2", "0.3"],
    ["1 / 3", "0.333333333333333"],
    ["2 ^ 53 - 1", "9007199254740991"],
    ["2 ^ 64", "1.84467440737096e+19"],
    ["25!", "1.5511210043331e+25"],
    ["170!", "7.257415615308e+306"],
    ["1e-7 / 3", "3.33333333333333e-8"],
    [".5 + 5.", "5.5"],
    ["0 * -1", "0"],
    ["round(1.005, 2)", "1.01"],
    ["round(-2.5)", "-3"],
    ["round(1250, -2)", "1300"],
    ["floor(log(1000, 10))", "3"],
    ["gcd(12, 18, -27)", "3"],
    ["lcm(4, 6, 10)", "60"],
    ["max(1, 2 + 3, 4)", "5"],
    ["hypot(3, 4)", "5"],
    ["PI", "3.14159265358979"],
    ["２×（３＋４）−１０÷４", "11.5"],
    ["ｍａｘ（１，２）", "2"],
    ["2×π", "6.28318530717959"],
    ["sin(rad(30))", "0.5"],
    [`${"(".repeat(90)}1${")".repeat(90)}`, "1"],
  ])("%s = %s", async (expression, value) => {
    expect(await calculate(expression)).toBe(value);
  });
});

describe("the calculator's error states the problem and its position", () => {
  test.each([
    ["1 / (2 - 2)", "Division by zero at position 3"],
    ["5 % 0", "Division by zero at position 3"],
    ["15%", '"%" at position 3 is the remainder'],
    ["50% + 10", '"%" at position 3 is the remainder'],
    ["1 + constructor", 'Unknown name "constructor" at position 5. Known: pi,'],
    ["__proto__", 'Unknown name "__proto__"'],
    ["toString()", 'Unknown name "toString"'],
    ["Math.sqrt(2)", 'Unexpected character "." at position 5'],
    ["a[0]", 'Unexpected character "["'],
    ["1; 2", 'Unexpected character ";"'],
    ["2 🙂", 'Unexpected character "🙂" at position 3'],
    ["1,000", 'Unexpected "," at position 2'],
    ["1_000", 'Expected an operator before "_000" at position 2'],
    ["2 pi", 'Expected an operator before "pi" at position 3'],
    ["(1 + 2", 'Expected ")" at the end'],
    ["1 +", 'Expected a number, a name or "(" at the end'],
    ["1 + )", 'Expected a number, a name or "(" before ")" at position 5'],
    ["sqrt 2", 'Expected "(" before "2"'],
    ["sqrt(1, 2)", "sqrt at position 1 takes 1 argument(s), not 2"],
    ["max()", "max at position 1 takes 1 or more argument(s), not 0"],
    ["sqrt(-4)", "sqrt(-4) at position 1 has no real value"],
    ["(-8) ^ (1 / 3)", "-8 ^ 0.333333333333333 at position 6 has no real value"],
    ["ln(0)", "ln(0) at position 1 is infinite"],
    ["10 ^ 400", "10 ^ 400 at position 4 is infinite or too large"],
    ["1e400", "1e400 at position 1 is infinite or too large"],
    ["171!", "it takes a whole number from 0 to 170"],
    ["2.5!", "it takes a whole number from 0 to 170"],
    ["gcd(1.5, 2)", "it takes whole numbers"],
    ["lcm(9007199254740991, 9007199254740990, 4)", "it takes whole numbers"],
    ["(".repeat(500), "Nested deeper than 100 levels at position 101"],
    ["-".repeat(500), "Nested deeper than 100 levels"],
    ["1^".repeat(400), "Nested deeper than 100 levels"],
    ["1+".repeat(501), "The arguments do not fit"],
    ["", "The arguments do not fit"],
    [" ", "at the end"],
  ])("%s", async (expression, words) => {
    const failure = await calculate(expression).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ToolError);
    expect((failure as ToolError).message).toContain(words);
  });
});
