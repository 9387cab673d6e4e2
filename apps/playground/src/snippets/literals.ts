/** Values as the text of a program: what it reads there is the value, whatever characters that has. */

type Language = {
  readonly words: Readonly<Record<"null" | "true" | "false", string>>;
  /** What cannot be seen, or changes how what follows is shown. */
  escape(codePoint: number): string;
  key(name: string): string;
  /** Behind the last entry of a list in several lines. */
  readonly lastComma: string;
  /** Inside the braces of an object in one line. */
  readonly space: string;
  readonly indent: string;
};

const JSON_WORDS = { null: "null", true: "true", false: "false" };

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");

const utf16 = (codePoint: number): string =>
  String.fromCodePoint(codePoint)
    .split("")
    .map((unit) => `\\u${hex(unit.charCodeAt(0), 4)}`)
    .join("");

export const JSON_TEXT: Language = {
  words: JSON_WORDS,
  escape: utf16,
  key: (name) => quote(name, JSON_TEXT),
  lastComma: "",
  space: "",
  indent: "  ",
};

export const JAVASCRIPT: Language = {
  words: JSON_WORDS,
  escape: utf16,
  // A plain __proto__ would be the prototype.
  key: (name) => (name === "__proto__" ? '["__proto__"]' : /^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name)),
  lastComma: ",",
  space: " ",
  indent: "  ",
};

export const PYTHON: Language = {
  words: { null: "None", true: "True", false: "False" },
  escape: (codePoint) => (codePoint > 0xffff ? `\\U${hex(codePoint, 8)}` : `\\u${hex(codePoint, 4)}`),
  key: (name) => quote(name, PYTHON),
  lastComma: ",",
  space: "",
  indent: "    ",
};

/** A text in double quotes. */
export const quote = (text: string, language: Language = JAVASCRIPT): string =>
  JSON.stringify(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (one) => language.escape(one.codePointAt(0) ?? 0));

const COLUMNS = 88;

/** A value of JSON; what is undefined is left out. Over several lines if it is too long for one behind `indent`. */
export function literal(value: unknown, language: Language, indent = ""): string {
  const whole = inline(value, language);
  if (indent.length + whole.length <= COLUMNS || typeof value !== "object" || value === null) return whole;
  const inner = indent + language.indent;
  const lines = entriesOf(value).map(
    ([name, one]) => inner + (name === null ? "" : `${language.key(name)}: `) + literal(one, language, inner),
  );
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return lines.length === 0 ? whole : `${open}\n${lines.join(",\n")}${language.lastComma}\n${indent}${close}`;
}

function inline(value: unknown, language: Language): string {
  if (value === null || value === undefined) return language.words.null;
  if (typeof value === "boolean") return language.words[`${value}`];
  if (typeof value === "string") return quote(value, language);
  if (typeof value !== "object") return String(value);
  const entries = entriesOf(value).map(
    ([name, one]) => (name === null ? "" : `${language.key(name)}: `) + inline(one, language),
  );
  if (entries.length === 0) return Array.isArray(value) ? "[]" : "{}";
  return Array.isArray(value) ? `[${entries.join(", ")}]` : `{${language.space}${entries.join(", ")}${language.space}}`;
}

const entriesOf = (value: object): readonly (readonly [string | null, unknown])[] =>
  Array.isArray(value)
    ? value.map((one) => [null, one] as const)
    : Object.entries(value).filter(([, one]) => one !== undefined);

/** A word of a POSIX shell. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
