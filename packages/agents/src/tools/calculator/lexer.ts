/** Splits an expression into tokens. Full-width and typographic characters, which models write, count as ASCII. */
import { ToolError } from "../tool.ts";

export type Token = {
  readonly kind: "number" | "name" | "symbol" | "end";
  readonly text: string;
  /** Position of the first character, from 1. */
  readonly position: number;
};

const TOKENS = [
  /(?<space>\s+)/,
  /(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/,
  /(?<name>[A-Za-z_]\w*|π)/,
  /(?<symbol>\*\*|[-+*/%^!(),])/,
  /(?<other>.)/,
];
const TOKEN = new RegExp(TOKENS.map(({ source }) => source).join("|"), "gsu");

const TYPOGRAPHIC: Readonly<Record<string, string>> = { "×": "*", "·": "*", "⋅": "*", "÷": "/", "−": "-", "–": "-" };

export function tokenize(expression: string): Token[] {
  const tokens: Token[] = [];
  // Each character is replaced by exactly one, so positions stay those of the original expression.
  const plain = expression.replace(/[×·⋅÷−–\uff01-\uff5e]/g, (form) => TYPOGRAPHIC[form] ?? halfWidth(form));
  for (const { 0: text, index, groups } of plain.matchAll(TOKEN)) {
    const position = index + 1;
    if (groups?.other !== undefined) {
      throw new ToolError(`Unexpected character ${JSON.stringify(text)} at position ${position}.`);
    }
    if (groups?.number !== undefined) tokens.push({ kind: "number", text, position });
    if (groups?.name !== undefined) tokens.push({ kind: "name", text, position });
    if (groups?.symbol !== undefined) tokens.push({ kind: "symbol", text: text === "**" ? "^" : text, position });
  }
  return [...tokens, { kind: "end", text: "", position: expression.length + 1 }];
}

/** The code points of full-width forms have a fixed offset from ASCII. */
const halfWidth = (form: string): string => String.fromCharCode(form.charCodeAt(0) - 0xfee0);
