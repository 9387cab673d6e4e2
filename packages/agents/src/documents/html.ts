/**
 * HTML as Markdown, in one pass over the tags. Headings, tables, lists, code and links' texts are
 * kept; what is no text of the page (scripts, styles, navigation, forms' controls) is left out.
 */
import { Parser } from "htmlparser2";
import { headingLine, inLine, proseLine, tableLines } from "./markdown.ts";
import type { TextSink } from "./text-sink.ts";

const SKIPPED = new Set([
  ...["script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas", "audio", "video"],
  ...["nav", "select", "button", "textarea"],
]);
/** What is left out of a page that has no text otherwise, perhaps because such an element is never closed. */
const NEVER_TEXT = new Set(["script", "style", "template"]);
/** Within a cell of a table these do not end a line, because a row is one. */
const BLOCKS = new Set([
  ...["p", "div", "section", "article", "main", "header", "footer", "aside", "blockquote", "address", "figure"],
  ...["figcaption", "ul", "ol", "dl", "dt", "dd", "form", "fieldset", "details", "summary", "hr", "body", "html"],
]);

/** Browsers go to 512. The parser's time per tag grows with the depth. */
const MAX_DEPTH = 5_000;

type Table = { readonly rows: string[][]; cell: string | null };

export function writeHtml(html: string, sink: TextSink): void {
  if (!writePage(html, sink, SKIPPED)) writePage(html, sink, NEVER_TEXT);
}

/** False: the page has no text. */
function writePage(html: string, sink: TextSink, skippedTags: ReadonlySet<string>): boolean {
  let depth = 0;
  let line = "";
  let prefix = "";
  let heading = 0;
  let pre: string | null = null;
  let skipping: { readonly name: string; depth: number } | null = null;
  let table = null as Table | null;
  /** Tables within a cell are text of the cell. */
  let innerTables = 0;
  /** Of the page: null before it, undefined behind it. */
  let title = null as string | null | undefined;
  let hasText = false;

  const write = (text: string) => {
    hasText = true;
    sink.write(text);
  };
  const endLine = () => {
    const text = inLine(line);
    if (text !== "") write(heading > 0 ? `${headingLine(heading, text)}\n\n` : `${prefix}${proseOf(text)}\n\n`);
    line = "";
    prefix = "";
  };
  const proseOf = (text: string) => (prefix === "" ? proseLine(text) : text);
  const endCell = () => {
    if (table === null || table.cell === null) return;
    table.rows.at(-1)?.push(inLine(table.cell));
    table.cell = null;
  };
  const endTable = () => {
    endCell();
    const rows = table?.rows.filter((row) => row.some((cell) => cell !== "")) ?? [];
    table = null;
    if (rows.length === 0) return;
    // A table of one column is layout.
    if (rows.every((row) => row.length < 2)) for (const row of rows) write(`${proseLine(row.join(" "))}\n\n`);
    else write(`${[...tableLines(rows)].join("\n")}\n\n`);
  };

  const parser = new Parser(
    {
      onopentagname(name) {
        depth += 1;
        if (depth > MAX_DEPTH) throw new Error(`its elements are nested deeper than ${MAX_DEPTH}`);
        if (skipping !== null) {
          if (name === skipping.name) skipping.depth += 1;
          return;
        }
        if (name === "title" && title === null) title = "";
        if (skippedTags.has(name)) {
          skipping = { name, depth: 1 };
          return;
        }
        if (pre !== null) {
          if (name === "br") pre += "\n";
          return;
        }
        if (table !== null) {
          if (name === "table") innerTables += 1;
          else if (innerTables > 0) table.cell = `${table.cell ?? ""} `;
          else if (name === "tr") {
            endCell();
            table.rows.push([]);
          } else if (name === "td" || name === "th") {
            endCell();
            if (table.rows.length === 0) table.rows.push([]);
            table.cell = "";
          } else if (table.cell !== null && (BLOCKS.has(name) || name === "br" || name === "li")) table.cell += " ";
          return;
        }
        if (name === "table") {
          endLine();
          table = { rows: [], cell: null };
        } else if (name === "pre") {
          endLine();
          pre = "";
        } else if (name === "br") {
          if (heading > 0) line += " ";
          else endLine();
        } else if (name === "li") {
          endLine();
          prefix = "- ";
        } else if (levelOf(name) > 0) {
          endLine();
          heading = levelOf(name);
        } else if (BLOCKS.has(name) && !(name === "p" && line === "")) endLine();
      },
      ontext(text) {
        if (skipping !== null) return;
        if (typeof title === "string") title += text;
        else if (pre !== null) pre += text;
        else if (table === null) line += text;
        else if (table.cell !== null) table.cell += text;
        // Text between the cells of a table belongs to no row.
        else if (text.trim() !== "") write(`${proseLine(text)}\n\n`);
      },
      onclosetag(name) {
        depth -= 1;
        if (skipping !== null) {
          if (name === skipping.name) skipping.depth -= 1;
          if (skipping.depth === 0) skipping = null;
          return;
        }
        if (typeof title === "string") {
          // A page whose text has a heading of its own comes below it.
          if (inLine(title) !== "") sink.write(`${headingLine(1, title)}\n\n`);
          title = undefined;
          return;
        }
        if (pre !== null) {
          if (name !== "pre") return;
          if (pre.trim() !== "") write(fenced(pre));
          pre = null;
          return;
        }
        if (table !== null) {
          if (name === "table" && innerTables > 0) innerTables -= 1;
          else if (name === "table") endTable();
          else if (innerTables === 0 && (name === "td" || name === "th" || name === "tr")) endCell();
          else if (table.cell !== null && BLOCKS.has(name)) table.cell += " ";
          return;
        }
        if (levelOf(name) > 0) {
          endLine();
          heading = 0;
        } else if (BLOCKS.has(name) || name === "li") endLine();
      },
    },
    { decodeEntities: true, lowerCaseTags: true },
  );
  parser.end(html);
  if (pre !== null && (pre as string).trim() !== "") write(fenced(pre));
  endTable();
  endLine();
  return hasText;
}

/** 0: the element is no heading. */
function levelOf(name: string): number {
  const level = name.length === 2 && name.startsWith("h") ? Number(name[1]) : 0;
  return level >= 1 && level <= 6 ? level : 0;
}

/** The fence is longer than any run of its mark in the code. */
function fenced(code: string): string {
  let longest = 2;
  let run = 0;
  for (const char of code) {
    run = char === "`" ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${trimBreaks(code)}\n${fence}\n\n`;
}

function trimBreaks(code: string): string {
  const lines = code.split("\n");
  const first = lines.findIndex((line) => line.trim() !== "");
  return lines.slice(Math.max(0, first)).join("\n").trimEnd();
}
