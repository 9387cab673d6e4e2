/** Evaluates arithmetic by the JavaScript engine, as the reference for the calculator. */

/**
 * The text as JavaScript, if it is plain arithmetic, so that the engine also judges damaged texts that are still valid.
 * Null for others, and for two powers: they can reach a finite value through an infinite one, which the calculator
 * refuses.
 */
export function asJavaScript(text: string): string | null {
  const inJavaScript = text.replaceAll("^", "**");
  return /^[\d+\-*(). ]{1,100}$/.test(inJavaScript) && inJavaScript.split("**").length <= 2 ? inJavaScript : null;
}

const REFERENCE_FUNCTIONS = {
  ok(value: number): number {
    if (!Number.isFinite(value)) throw new RangeError("no finite number");
    return value;
  },
  mod(a: number, b: number): number {
    const remainder = REFERENCE_FUNCTIONS.ok(a % b);
    return Math.sign(remainder) === -Math.sign(b) ? remainder + b : remainder;
  },
  fact(n: number): number {
    if (!Number.isInteger(n) || n < 0 || n > 170) throw new RangeError("no factorial");
    return Number(Array.from({ length: n }, (_, index) => BigInt(index + 1)).reduce((a, b) => a * b, 1n));
  },
  gcd(...args: number[]): number {
    if (args.every((each) => each === 0)) return 0;
    let divisor = Math.min(...args.filter((each) => each !== 0));
    while (args.some((each) => each % divisor !== 0)) divisor--;
    return divisor;
  },
  lcm(...args: number[]): number {
    if (args.includes(0)) return 0;
    return args.reduce((a, b) => (a * b) / REFERENCE_FUNCTIONS.gcd(a, b));
  },
  roundThousandths(thousandths: number, digits: number): number {
    const unit = 10 ** (3 - digits);
    const units = Math.floor((Math.abs(thousandths) + unit / 2) / unit);
    return (Math.sign(thousandths) * units) / 10 ** digits;
  },
};

/** The value by the JavaScript engine; "unknown" when the reference is no valid JavaScript. */
export function evaluateReference(reference: string | null): number | "error" | "unknown" {
  if (reference === null) return "unknown";
  let evaluate: (...functions: unknown[]) => number;
  try {
    const body = `"use strict"; return ${reference};`;
    evaluate = new Function(...Object.keys(REFERENCE_FUNCTIONS), body) as typeof evaluate;
  } catch {
    return "unknown";
  }
  try {
    const value = evaluate(...Object.values(REFERENCE_FUNCTIONS));
    return Number.isFinite(value) ? value : "error";
  } catch {
    return "error";
  }
}
