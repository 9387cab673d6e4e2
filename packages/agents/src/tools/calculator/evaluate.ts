/**
 * Evaluates an arithmetic expression while parsing it by operator precedence (a Pratt parser), without a syntax tree.
 * Every intermediate value is a finite number; anything else throws a `ToolError` with the position.
 */
import { cutText } from "@agent-paas/shared/text.ts";
import { ToolError } from "../tool.ts";
import { CONSTANTS, FACTORIAL, FUNCTIONS, type MathFunction, modulo } from "./functions.ts";
import { type Token, tokenize } from "./lexer.ts";

/** Most nested parentheses, signs and right-hand powers: this bounds the call stack. */
const MAX_DEPTH = 100;

type Infix = {
  /** Binding power towards the left and the right operand. */
  readonly left: number;
  readonly right: number;
  readonly apply: (a: number, b: number) => number;
};

const INFIX: ReadonlyMap<string, Infix> = new Map<string, Infix>([
  ["+", { left: 1, right: 2, apply: (a, b) => a + b }],
  ["-", { left: 1, right: 2, apply: (a, b) => a - b }],
  ["*", { left: 3, right: 4, apply: (a, b) => a * b }],
  ["/", { left: 3, right: 4, apply: (a, b) => a / b }],
  ["%", { left: 3, right: 4, apply: modulo }],
  ["^", { left: 7, right: 6, apply: (a, b) => a ** b }],
]);

/** A sign binds more strongly than a product and less than a power: -2^2 is -4. */
const SIGN_POWER = 5;

export function evaluate(expression: string): number {
  const tokens = tokenize(expression);
  let index = 0;
  let depth = 0;

  const peek = () => tokens[index] as Token;
  const take = () => tokens[index++] as Token;

  function expect(symbol: string): void {
    const token = take();
    if (token.text !== symbol) throw new ToolError(`Expected "${symbol}" ${before(token)}.`);
  }

  function parse(minPower: number): number {
    if (++depth > MAX_DEPTH)
      throw new ToolError(`Nested deeper than ${MAX_DEPTH} levels at position ${peek().position}.`);
    let value = operand();
    for (;;) {
      const token = peek();
      const infix = INFIX.get(token.text);
      if (token.text === "!") {
        take();
        value = call(FACTORIAL, "fact", [value], token);
      } else if (infix && infix.left >= minPower) {
        take();
        value = combine(token, infix, value);
      } else {
        depth--;
        return value;
      }
    }
  }

  function operand(): number {
    const token = take();
    if (token.text === "-") return -parse(SIGN_POWER);
    if (token.text === "+") return parse(SIGN_POWER);
    if (token.text === "(") {
      const value = parse(0);
      expect(")");
      return value;
    }
    if (token.kind === "number") return finite(Number(token.text), token.text, token);
    if (token.kind === "name") return named(token);
    throw new ToolError(`Expected a number, a name or "(" ${before(token)}.`);
  }

  function combine(operator: Token, infix: Infix, left: number): number {
    // The author of "50% + 10" means a per cent; it would be evaluated as the remainder of 50 and +10.
    const next = peek();
    if (operator.text === "%" && next.kind !== "number" && next.kind !== "name" && next.text !== "(") {
      throw new ToolError(
        `"%" at position ${operator.position} is the remainder; ` +
          `write a per cent as /100, a signed divisor in parentheses.`,
      );
    }
    const right = parse(infix.right);
    if (right === 0 && (operator.text === "/" || operator.text === "%")) {
      throw new ToolError(`Division by zero at position ${operator.position}.`);
    }
    return finite(infix.apply(left, right), `${format(left)} ${operator.text} ${format(right)}`, operator);
  }

  function named(token: Token): number {
    const name = token.text.toLowerCase();
    const constant = CONSTANTS.get(name);
    if (constant !== undefined) return constant;
    const known = FUNCTIONS.get(name);
    if (!known) {
      const names = [...CONSTANTS.keys(), ...FUNCTIONS.keys()].join(", ");
      throw new ToolError(`Unknown name "${token.text}" at position ${token.position}. Known: ${names}.`);
    }
    expect("(");
    const args: number[] = [];
    if (peek().text !== ")") {
      args.push(parse(0));
      while (peek().text === ",") {
        take();
        args.push(parse(0));
      }
    }
    expect(")");
    return call(known, name, args, token);
  }

  const value = parse(0);
  const rest = peek();
  if (rest.text === ",")
    throw new ToolError(`Unexpected "," at position ${rest.position}: it parts arguments, not digits.`);
  if (rest.kind !== "end") throw new ToolError(`Expected an operator ${before(rest)}.`);
  return value;
}

function call(
  { minArgs, maxArgs, apply, domain }: MathFunction,
  name: string,
  args: readonly number[],
  at: Token,
): number {
  if (args.length < minArgs || args.length > maxArgs) {
    const more = maxArgs === Number.POSITIVE_INFINITY ? " or more" : maxArgs > minArgs ? ` or ${maxArgs}` : "";
    throw new ToolError(`${name} at position ${at.position} takes ${minArgs}${more} argument(s), not ${args.length}.`);
  }
  return finite(apply(...args), `${name}(${args.map(format).join(", ")})`, at, domain);
}

/** Returns a finite value; throws for others. `what` is the operation that produced the value, for the message. */
function finite(value: number, what: string, at: Token, domain?: string): number {
  if (Number.isFinite(value)) return value;
  const shown = what.length > 80 ? `${cutText(what, 80)}…` : what;
  const reason = Number.isNaN(value)
    ? `has no ${domain ? `value: it takes ${domain}` : "real value"}`
    : "is infinite or too large (above 1.8e308)";
  throw new ToolError(`${shown} at position ${at.position} ${reason}.`);
}

const before = (token: Token): string =>
  token.kind === "end" ? "at the end" : `before "${token.text}" at position ${token.position}`;

/**
 * The text of a value: whole numbers up to 2^53 exactly; others with 15 significant digits, which every double holds,
 * so that 0.1 + 0.2 gives 0.3; larger ones with an exponent, because their further digits would be wrong.
 */
export function format(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  const [mantissa, exponent] = value.toExponential(14).split("e");
  const rounded = Number(value.toPrecision(15));
  return Math.abs(rounded) < 1e15 ? String(rounded) : `${Number(mantissa)}e${exponent}`;
}
