/**
 * Generates arithmetic expressions from a seed. A valid expression is written twice from one tree: as the calculator's
 * text, with as few parentheses as its rules of precedence allow, and as JavaScript with all parentheses.
 */
import { asJavaScript } from "./arithmetic-reference.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** `reference`: the same expression as JavaScript; null when only the calculator can judge the text. */
export type Input = { readonly text: string; readonly reference: string | null };

export function generateInput(random: SeededRandom): Input {
  const kind = random.int(0, 9);
  if (kind < 6) {
    const { text, reference } = generate(random, random.int(1, 5));
    return { text: disguise(text, random), reference };
  }
  const text = kind < 8 ? damage(generate(random, 3).text, random) : rubbish(random);
  return { text, reference: asJavaScript(text) };
}

/** The precedence of an expression, from sums to atoms: it decides where parentheses are needed. */
const LEVEL = { sum: 1, product: 2, sign: 3, power: 4, postfix: 5, atom: 6 } as const;

type Node = { readonly text: string; readonly level: number; readonly reference: string };

function generate(random: SeededRandom, depth: number): Node {
  if (depth === 0) return literal(random);
  const child = () => generate(random, random.int(0, depth - 1));
  const fenced = (node: Node, level: number) =>
    node.level < level || random.int(0, 9) === 0 ? `(${node.text})` : node.text;
  const infix = (operator: string, level: number, rightLevel: number): Node => {
    const [a, b] = [child(), child()];
    const text = `${fenced(a, level === LEVEL.power ? LEVEL.postfix : level)}${operator}${fenced(b, rightLevel)}`;
    const inJavaScript =
      operator === "%"
        ? `mod(${a.reference}, ${b.reference})`
        : `(${a.reference} ${JS[operator] ?? operator} ${b.reference})`;
    return { text, level, reference: `ok(${inJavaScript})` };
  };

  switch (random.int(0, 9)) {
    case 0:
    case 1:
      return infix(random.pick(["+", "-"]), LEVEL.sum, LEVEL.product);
    case 2:
    case 3:
      return infix(random.pick(["*", "/"]), LEVEL.product, LEVEL.sign);
    case 4:
      return infix("%", LEVEL.product, LEVEL.power);
    case 5:
      return infix("^", LEVEL.power, LEVEL.sign);
    case 6: {
      const [sign, operand] = [random.pick(["-", "+"]), child()];
      return {
        text: sign + fenced(operand, LEVEL.sign),
        level: LEVEL.sign,
        reference: `(${sign} ${operand.reference})`,
      };
    }
    case 7: {
      const operand = random.int(0, 3) === 0 ? child() : whole(random, 30);
      return {
        text: `${fenced(operand, LEVEL.postfix)}!`,
        level: LEVEL.postfix,
        reference: `fact(${operand.reference})`,
      };
    }
    case 8: {
      const [name, inJavaScript] = random.pick(Object.entries(UNARY));
      const operand = child();
      return {
        text: `${name}(${operand.text})`,
        level: LEVEL.atom,
        reference: `ok(${inJavaScript}(${operand.reference}))`,
      };
    }
    default:
      return several(random, child);
  }
}

const JS: Readonly<Record<string, string>> = { "^": "**" };

const UNARY: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ["sqrt", "cbrt", "abs", "sign", "floor", "ceil", "trunc", "exp", "log2", "log10", "sin", "cos", "tan"].map(
      (name) => [name, `Math.${name}`],
    ),
  ),
  ...Object.fromEntries(["asin", "acos", "atan", "sinh", "cosh", "tanh", "log"].map((name) => [name, `Math.${name}`])),
  ln: "Math.log",
  fact: "fact",
  // In the calculator's own order of operations, because a remainder or a sine amplifies an error in the last bit.
  deg: "((x) => (x / Math.PI) * 180)",
  rad: "((x) => (x / 180) * Math.PI)",
};

/** Functions of several arguments. */
function several(random: SeededRandom, child: () => Node): Node {
  const atom = (text: string, reference: string): Node => ({ text, level: LEVEL.atom, reference: `ok(${reference})` });
  const list = (nodes: readonly Node[], key: "text" | "reference") => nodes.map((node) => node[key]).join(", ");
  const args = Array.from({ length: random.int(1, 4) }, child);
  const wholes = Array.from({ length: random.int(1, 4) }, () => whole(random, 500));
  switch (random.int(0, 8)) {
    case 0:
      return atom(`gcd(${list(wholes, "text")})`, `gcd(${list(wholes, "reference")})`);
    case 1:
      return atom(`lcm(${list(wholes, "text")})`, `lcm(${list(wholes, "reference")})`);
    case 2: {
      // The reference rounds thousandths by integer arithmetic.
      const [thousandths, digits] = [random.int(-99_999, 99_999), random.int(0, 2)];
      return atom(`round(${thousandths / 1_000}, ${digits})`, `roundThousandths(${thousandths}, ${digits})`);
    }
    case 3: {
      const [x, base] = [child(), random.pick([2, 3, 7, 10, 0.5])];
      const quotient = `Math.log(${x.reference}) / Math.log(${base})`;
      const special = base === 2 || base === 10 ? `Math.log${base}(${x.reference})` : quotient;
      return atom(`log(${x.text}, ${base})`, special);
    }
    case 4: {
      const [name, inJavaScript] = random.pick([
        ["pow", "Math.pow"],
        ["atan2", "Math.atan2"],
        ["mod", "mod"],
      ] as const);
      const two = [child(), child()];
      return atom(`${name}(${list(two, "text")})`, `${inJavaScript}(${list(two, "reference")})`);
    }
    case 5:
      return atom(`sum(${list(args, "text")})`, `[${list(args, "reference")}].reduce((a, b) => a + b)`);
    case 6:
      return atom(
        `avg(${list(args, "text")})`,
        `[${list(args, "reference")}].reduce((a, b) => a + b) / ${args.length}`,
      );
    default: {
      const name = random.pick(["min", "max", "hypot"]);
      return atom(`${name}(${list(args, "text")})`, `Math.${name}(${list(args, "reference")})`);
    }
  }
}

function literal(random: SeededRandom): Node {
  const digits = () => String(random.int(0, 10 ** random.int(1, 9)));
  const text = random.pick([
    () => String(random.int(0, 12)),
    () => String(random.int(0, 12)),
    digits,
    () => `${digits()}.${digits()}`,
    () => `.${digits()}`,
    () => `${digits()}.`,
    () => `${random.int(1, 9)}e${random.int(-320, 320)}`,
    () => `${random.int(1, 9)}.5E+${random.int(0, 20)}`,
  ])();
  const constants = { pi: "Math.PI", π: "Math.PI", tau: "(2 * Math.PI)", e: "Math.E", E: "Math.E" };
  if (random.int(0, 5) > 0) return { text, level: LEVEL.atom, reference: `ok(${text})` };
  const [name, reference] = random.pick(Object.entries(constants));
  return { text: name, level: LEVEL.atom, reference };
}

function whole(random: SeededRandom, max: number): Node {
  const text = String(random.int(0, max));
  return { text, level: LEVEL.atom, reference: text };
}

const DISGUISES: ReadonlyMap<string, readonly string[]> = new Map([
  ["*", ["*", "×", "＊", "·"]],
  ["/", ["/", "÷", "／"]],
  ["-", ["-", "−", "－"]],
  ["+", ["+", "＋"]],
  ["(", ["(", "（", "( "]],
  [")", [")", "）", " )"]],
  [",", [",", "，"]],
  ["^", ["^", "**", "＾"]],
]);

/** Writes the expression with full-width and typographic characters. */
function disguise(text: string, random: SeededRandom): string {
  if (random.int(0, 1) === 0) return text;
  return [...text].map((character) => random.pick(DISGUISES.get(character) ?? [character])).join("");
}

const ALPHABET = [..."0123456789+-*/%^!(),.eE πxX_", "**", "1e308", "1e-308", "9".repeat(40), "sqrt", "max(", "fact("];

/** Drops, doubles or inserts one to three characters. */
function damage(text: string, random: SeededRandom): string {
  let damaged = text;
  for (let change = random.int(1, 3); change > 0; change--) {
    const at = random.int(0, damaged.length);
    const middle = random.pick(["", damaged.charAt(at).repeat(2), random.pick(ALPHABET)]);
    damaged = damaged.slice(0, at) + middle + damaged.slice(at + 1);
  }
  return damaged;
}

const RUBBISH = [
  ...ALPHABET,
  ...[
    "constructor",
    "__proto__",
    "toString",
    "prototype",
    "hasOwnProperty",
    "valueOf",
    "this",
    "globalThis",
    "process",
  ],
  ...["Infinity", "NaN", "null", "undefined", "true", "eval(", "import(", "require('fs')", "=>", "${", "`", '"', "'"],
  ...[
    "😀",
    "\u0000",
    "\ud800",
    "\udfff",
    "\u202e",
    "é",
    "中",
    "１２",
    "∞",
    "√",
    "²",
    "\n",
    "\t",
    "[",
    "]",
    "{",
    "}",
    ";",
    "\\",
  ],
];

function rubbish(random: SeededRandom): string {
  const length = random.int(0, 40);
  switch (random.int(0, 7)) {
    case 0:
      return random.pick(["(", "-", "+-", "2^", "sqrt(", "((", "max(1,", "1+(", "!"]).repeat(random.int(1, 600));
    case 1: {
      const depth = random.int(1, 200);
      return `${"(".repeat(depth)}1${")".repeat(random.int(depth - 1, depth + 1))}`;
    }
    case 2:
      return Array.from({ length }, () => String.fromCharCode(random.int(0, 0xffff))).join("");
    case 3:
      return `9^9^9^${"9".repeat(random.int(1, 300))}`;
    case 4:
      return Array.from({ length }, () => random.pick([..."0123456789+-*^(). "])).join("");
    default:
      return Array.from({ length }, () => random.pick(RUBBISH)).join("");
  }
}
