/** What is being typed and is no value yet: half a number, JSON with a mistake. It stands where the value would. */
export class Unreadable {
  readonly text: string;
  /** It has a number too large to be sent as it is. */
  readonly isInexact: boolean;

  constructor(text: string, isInexact = false) {
    this.text = text;
    this.isInexact = isInexact;
  }

  toJSON(): string {
    return this.text;
  }
}

export type Read = (text: string) => unknown;

/** Undefined for an empty text: nothing is set. */
export const readText: Read = (text) => (text === "" ? undefined : text);

export const readNumber: Read = (text) => {
  const written = text.trim();
  if (written === "") return undefined;
  const number = Number(written);
  if (!/^[-+]?[\d.]/.test(written) || Number.isNaN(number)) return new Unreadable(text);
  return isExact(number, written) ? number : new Unreadable(text, true);
};

/** False for a number beyond all bounds, and for a whole one that would be sent with other digits. */
function isExact(value: number, written = ""): boolean {
  if (Number.isSafeInteger(value)) return true;
  if (!Number.isInteger(value)) return Number.isFinite(value);
  return /[.e]/i.test(written) || String(value) === written;
}

export const readJson: Read = (text) => {
  if (text.trim() === "") return undefined;
  let isInexact = false;
  const check = (_name: string, value: unknown, context?: { readonly source?: string }) => {
    if (typeof value === "number" && !isExact(value, context?.source)) isInexact = true;
    return value;
  };
  try {
    const value: unknown = JSON.parse(text, check);
    return isInexact ? new Unreadable(text, true) : value;
  } catch {
    return new Unreadable(text);
  }
};

/** One a line; empty lines are nothing. */
export const readLines: Read = (text) => {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  return lines.length === 0 ? undefined : lines;
};

/** As it is typed. */
export function writeValue(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (value instanceof Unreadable) return value.text;
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

export const writeLines = (value: unknown): string =>
  Array.isArray(value) && value.every((line) => typeof line === "string") ? value.join("\n") : writeValue(value);

/** JSON shows a text with its quotes. */
export const writeJson = (value: unknown): string =>
  typeof value === "string" ? JSON.stringify(value) : value === null ? "null" : writeValue(value);

/** JSON in which every character is seen: none hides, or turns the direction of what follows. */
export const writeVisibly = (value: unknown): string =>
  JSON.stringify(value, null, 2).replace(/[\p{Cf}\p{Zl}\p{Zp}\x7f-\x9f]/gu, (character) =>
    character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
