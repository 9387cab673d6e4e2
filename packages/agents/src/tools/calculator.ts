/**
 * The tool `calculator`: arithmetic, which models get wrong. Its parser produces numbers only, so it executes no code.
 */
import { z } from "zod";
import { evaluate, format } from "./calculator/evaluate.ts";
import { defineTool, type Tool } from "./tool.ts";

const MAX_EXPRESSION_CHARS = 1_000;

export const calculator: Tool = defineTool({
  name: "calculator",
  description: [
    "Evaluates an arithmetic expression exactly as written. Use it for every calculation.",
    "Operators: + - * / % ^ (or **, right-associative) and postfix ! (factorial); " +
      "-2^2 is -4; % is the remainder, with the sign of the divisor.",
    "Constants: pi, e, tau. " +
      "Functions: sqrt cbrt abs sign floor ceil trunc round(x, digits) min max sum avg pow(x, y) exp ln log(x, base)",
    "log2 log10 sin cos tan asin acos atan atan2(y, x) sinh cosh tanh (radians) " +
      "deg(radians) rad(degrees) hypot gcd lcm mod(a, b) fact;",
    "log(x) is the natural logarithm, round takes halves away from zero.",
    "Multiplication is written out (2*pi), numbers without thousands separators.",
    "Double precision: whole numbers are exact up to 2^53, other results are rounded to 15 significant digits.",
  ].join("\n"),
  parameters: z.strictObject({
    expression: z.string().min(1).max(MAX_EXPRESSION_CHARS).describe("For example: round(1250 * (1 + 0.035)^10, 2)"),
  }),
  idempotent: true,
  call: ({ expression }) => format(evaluate(expression)),
});
