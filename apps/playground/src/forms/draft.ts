/** What is being typed and is no value yet: half a number, JSON with a mistake. It stands where the value would. */
export class Unreadable {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
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
  return /^[-+]?[\d.]/.test(written) && Number.isFinite(number) ? number : new Unreadable(text);
};

export const readJson: Read = (text) => {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
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
