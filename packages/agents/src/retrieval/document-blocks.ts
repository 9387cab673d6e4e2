/**
 * Reads the blocks of a document as spans of its text: headings, paragraphs, and the code and tables of Markdown.
 * Everything except white space is in exactly one block, in the document's order.
 */

/** A part of the document's text, as character offsets; `end` is exclusive. */
export type Span = { readonly start: number; readonly end: number };

export type Block = Span & {
  readonly kind: "heading" | "prose" | "code" | "table";
  /** The headings above the block, outermost first. */
  readonly heading: string;
  /** Blocks of one section have the same number. Consecutive headings without text between them share a section. */
  readonly section: number;
};

export const HEADING_SEPARATOR = " › ";
/** A longer heading is cut, because every chunk below it repeats it. */
const MAX_HEADING_CHARS = 160;

const FENCE = /^\s*(`{3,}|~{3,})/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/s;
const UNDERLINE = /^ {0,3}(=+|-{2,})$/;
const TABLE_ROW = /^\s*\|/;

type Open = { kind: "prose" | "code" | "table"; start: number; end: number; lines: number };

export function* readBlocks(text: string, format: "text" | "markdown"): Generator<Block> {
  const path: { level: number; title: string }[] = [];
  const isMarkdown = format === "markdown";
  let section = 0;
  /** Whether the section has text, so that the next heading begins a new section. */
  let filled = false;
  let open = null as Open | null;
  let fence: string | null = null;

  const block = (kind: Block["kind"], { start, end }: Span): Block => ({
    kind,
    start,
    end,
    heading: path.map(({ title }) => title).join(HEADING_SEPARATOR),
    section,
  });
  const headed = (level: number, title: string, span: Span): Block => {
    if (filled) section += 1;
    filled = false;
    while ((path.at(-1)?.level ?? 0) >= level) path.pop();
    if (title !== "") path.push({ level, title });
    return block("heading", span);
  };
  const closed = (): Block[] => {
    if (open === null) return [];
    const { kind, start, end } = open;
    filled = true;
    open = null;
    return [block(kind, { start, end })];
  };

  for (const line of linesOf(text, { start: 0, end: text.length })) {
    const content = text.slice(line.start, line.end).trimEnd();
    const { start } = line;
    const end = start + content.length;
    const current = open;

    if (fence !== null && current !== null) {
      if (content !== "") Object.assign(current, { end });
      if (closesFence(content, fence)) {
        fence = null;
        yield* closed();
      }
      continue;
    }
    if (content === "") {
      yield* closed();
      continue;
    }
    if (isMarkdown) {
      const heading = HEADING.exec(content);
      if (heading !== null) {
        yield* closed();
        yield headed(heading[1]?.length ?? 1, plainTitle(heading[2] ?? ""), { start, end });
        continue;
      }
      const underline = UNDERLINE.exec(content);
      if (underline !== null && current?.kind === "prose" && current.lines === 1) {
        open = null;
        const title = plainTitle(text.slice(current.start, current.end));
        yield headed(underline[1]?.startsWith("=") ? 1 : 2, title, { start: current.start, end });
        continue;
      }
      fence = FENCE.exec(content)?.[1] ?? null;
    }
    const kind = fence !== null ? "code" : isMarkdown && TABLE_ROW.test(content) ? "table" : "prose";
    if (current?.kind === kind && fence === null) {
      Object.assign(current, { end, lines: current.lines + 1 });
    } else {
      yield* closed();
      open = { kind, start, end, lines: 1 };
    }
  }
  yield* closed();
}

/** The lines of a span, each with its line break. */
export function* linesOf(text: string, { start, end }: Span): Generator<Span> {
  for (let at = start; at < end; ) {
    // Within the slice: a search of the whole text would go on to its end for every span without a line break.
    const lineBreak = text.slice(at, end).indexOf("\n");
    const next = lineBreak === -1 ? end : at + lineBreak + 1;
    yield { start: at, end: next };
    at = next;
  }
}

const closesFence = (line: string, fence: string): boolean => {
  const mark = line.trim();
  return mark.length >= fence.length && mark === (fence[0] ?? "").repeat(mark.length);
};

/** The text of a heading without its closing `#` and the marks of links, code and emphasis. */
function plainTitle(raw: string): string {
  return raw
    .slice(0, 4 * MAX_HEADING_CHARS)
    .trim()
    .replace(/(?:^|[ \t])#+$/, "")
    .replace(/!?\[([^\][]*)\]\([^()]*\)/g, "$1")
    .replace(/[`*]/g, "")
    .trim()
    .slice(0, MAX_HEADING_CHARS)
    .toWellFormed();
}
