/** The names that an expression may use. They are keys of maps, so no name reaches a property of an object. */
export type MathFunction = {
  readonly minArgs: number;
  readonly maxArgs: number;
  /** NaN for arguments outside the domain. */
  readonly apply: (...args: number[]) => number;
  /** The accepted arguments, where the message "no real value" would not explain a NaN. */
  readonly domain?: string;
};

const unary = (apply: (x: number) => number): MathFunction => ({ minArgs: 1, maxArgs: 1, apply });

const binary = (apply: (x: number, y: number) => number): MathFunction => ({ minArgs: 2, maxArgs: 2, apply });

const variadic = (apply: (...args: number[]) => number): MathFunction => ({
  minArgs: 1,
  maxArgs: Number.POSITIVE_INFINITY,
  apply,
});

const ofWholes = (apply: (a: number, b: number) => number): MathFunction => ({
  ...variadic((...args) => (args.every(Number.isSafeInteger) ? args.map(Math.abs).reduce(apply) : Number.NaN)),
  domain: "whole numbers, and gives one, of at most 2^53",
});

export const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ["pi", Math.PI],
  ["π", Math.PI],
  ["e", Math.E],
  ["tau", 2 * Math.PI],
]);

/** Also called by the operator `!`. */
export const FACTORIAL: MathFunction = { ...unary(factorial), domain: "a whole number from 0 to 170" };

export const FUNCTIONS: ReadonlyMap<string, MathFunction> = new Map<string, MathFunction>([
  ["sqrt", unary(Math.sqrt)],
  ["cbrt", unary(Math.cbrt)],
  ["abs", unary(Math.abs)],
  ["sign", unary(Math.sign)],
  ["floor", unary(Math.floor)],
  ["ceil", unary(Math.ceil)],
  ["trunc", unary(Math.trunc)],
  ["round", { minArgs: 1, maxArgs: 2, apply: round, domain: "a whole number of digits from -300 to 300" }],
  ["exp", unary(Math.exp)],
  ["ln", unary(Math.log)],
  ["log", { minArgs: 1, maxArgs: 2, apply: log }],
  ["log2", unary(Math.log2)],
  ["log10", unary(Math.log10)],
  ["sin", unary(Math.sin)],
  ["cos", unary(Math.cos)],
  ["tan", unary(Math.tan)],
  ["asin", unary(Math.asin)],
  ["acos", unary(Math.acos)],
  ["atan", unary(Math.atan)],
  ["atan2", binary(Math.atan2)],
  ["sinh", unary(Math.sinh)],
  ["cosh", unary(Math.cosh)],
  ["tanh", unary(Math.tanh)],
  ["deg", unary((radians) => (radians / Math.PI) * 180)],
  ["rad", unary((degrees) => (degrees / 180) * Math.PI)],
  ["pow", binary((base, exponent) => base ** exponent)],
  ["mod", binary(modulo)],
  ["fact", FACTORIAL],
  ["gcd", ofWholes(gcd)],
  ["lcm", ofWholes(lcm)],
  ["hypot", variadic(Math.hypot)],
  ["min", variadic(Math.min)],
  ["max", variadic(Math.max)],
  ["sum", variadic(sum)],
  ["avg", variadic((...args) => sum(...args) / args.length)],
]);

/** The remainder with the sign of the divisor, as in mathematics and Python. */
export function modulo(dividend: number, divisor: number): number {
  const remainder = dividend % divisor;
  return remainder !== 0 && remainder < 0 !== divisor < 0 ? remainder + divisor : remainder;
}

function sum(...args: number[]): number {
  return args.reduce((total, each) => total + each, 0);
}

function log(x: number, base = Math.E): number {
  // The quotient of logarithms would miss whole results: log(1000, 10) would be 2.9999999999999996.
  if (base === 10) return Math.log10(x);
  if (base === 2) return Math.log2(x);
  return base === Math.E ? Math.log(x) : Math.log(x) / Math.log(base);
}

/** Rounds halves away from zero, by the decimal digits of the shown value: 1.005 to two digits is 1.01. */
function round(x: number, digits = 0): number {
  if (!Number.isInteger(digits) || Math.abs(digits) > 300) return Number.NaN;
  const shifted = shiftPoint(Math.abs(x), digits);
  // From 2^53 on every double is a whole number.
  if (shifted >= 2 ** 53) return x;
  return Math.sign(x) * shiftPoint(Math.round(shifted), -digits);
}

function shiftPoint(x: number, places: number): number {
  const [mantissa, exponent = "0"] = String(x).split("e");
  return Number(`${mantissa}e${Number(exponent) + places}`);
}

function factorial(n: number): number {
  if (!Number.isInteger(n) || n < 0 || n > 170) return Number.NaN;
  let product = 1n;
  for (let factor = 2n; factor <= n; factor++) product *= factor;
  return Number(product);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

function lcm(a: number, b: number): number {
  // NaN means that the multiple of the arguments so far was too large.
  if (Number.isNaN(a) || a === 0 || b === 0) return a * b;
  const multiple = (a / gcd(a, b)) * b;
  return Number.isSafeInteger(multiple) ? multiple : Number.NaN;
}
