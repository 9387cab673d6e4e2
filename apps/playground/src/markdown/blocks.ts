/**
 * Cuts a text that grows into the blocks of Markdown. A block is final once another one follows, so a token more costs
 * the parsing of the last block, not that of the whole answer.
 */
import MarkdownIt, { type Env, type Token } from "markdown-it";
import { formulas } from "./formulas.ts";

export type Block = {
  /** Where it begins in the text; a block keeps its place. */
  readonly start: number;
  readonly source: string;
  /** Null: plain text, because the block is too large to be parsed at once. */
  readonly tokens: readonly Token[] | null;
};

/** What is parsed at once, in characters; a block that is larger gets up to the second number. */
const WINDOW = 16_384;
const LARGEST_WINDOW = 65_536;

/** HTML stays text; addresses that run something are no links. */
const parser = new MarkdownIt({ html: false, linkify: true, maxNesting: 40 });
parser.use(formulas);
// Only whole addresses: `readme.md` is a file, not a site in Moldova.
parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });

export class BlockReader {
  #text = "";
  /** The length of the text whose blocks are final. */
  #settled = 0;
  readonly #blocks: Block[] = [];
  /** What links refer to, of all blocks before. */
  readonly #env: Env = {};

  /** Whether the blocks of the last text are all read. */
  get isDone(): boolean {
    return this.#settled === this.#text.length || this.#isTailRead;
  }

  #isTailRead = false;

  /**
   * The blocks of a text; those of the last text that are final stay the same objects. Reads for `budgetMs` at most,
   * so a large text needs several calls: until `isDone`.
   */
  read(text: string, budgetMs = 6): readonly Block[] {
    if (!text.startsWith(this.#text.slice(0, this.#settled))) this.#startOver();
    this.#text = text;
    this.#isTailRead = false;
    const endAt = performance.now() + budgetMs;
    for (;;) {
      const tail = this.#readWindow();
      if (tail !== null) {
        this.#isTailRead = true;
        return [...this.#blocks, ...tail];
      }
      if (performance.now() >= endAt) return [...this.#blocks];
    }
  }

  #startOver(): void {
    this.#settled = 0;
    this.#blocks.length = 0;
    delete this.#env.references;
  }

  /** Makes blocks final. Returns those at the text's end, which may still change; null while there is more. */
  #readWindow(): readonly Block[] | null {
    for (let size = WINDOW; ; size *= 2) {
      const source = this.#text.slice(this.#settled, this.#settled + size);
      const isEnd = this.#settled + source.length === this.#text.length;
      const blocks = parse(source, this.#settled, this.#env);
      const last = blocks.at(-1);
      if (last === undefined) {
        if (isEnd) return [];
        this.#settled += source.length;
        return null;
      }
      if (blocks.length > 1) this.#settle(blocks.slice(0, -1), last.start);
      if (isEnd) return [last];
      if (blocks.length > 1) return null;
      if (size >= LARGEST_WINDOW) {
        this.#settlePlain(source);
        return null;
      }
    }
  }

  #settle(blocks: readonly Block[], end: number): void {
    this.#blocks.push(...blocks);
    this.#settled = end;
  }

  /** In pieces, of which each is drawn by itself. */
  #settlePlain(source: string): void {
    for (let from = 0; from < source.length; ) {
      const part = source.slice(from, from + WINDOW);
      const line = part.lastIndexOf("\n") + 1;
      const isPair = /[\ud800-\udbff]$/.test(part) && part.length > 1;
      const piece = part.slice(0, line > 0 ? line : part.length - (isPair ? 1 : 0));
      const start = this.#settled;
      this.#settle([{ start, source: piece, tokens: null }], start + piece.length);
      from += piece.length;
    }
  }
}

function parse(source: string, start: number, env: Env): readonly Block[] {
  const tokens = parser.parse(source, env);
  const lines = lineStarts(source);
  const blocks: Block[] = [];
  for (let from = 0; from < tokens.length; ) {
    let to = from;
    for (let depth = 0; ; to += 1) {
      depth += tokens[to]?.nesting ?? 0;
      if (depth <= 0) break;
    }
    const first = lines[tokens[from]?.map?.[0] ?? 0] ?? 0;
    blocks.push({ start: start + first, source: "", tokens: tokens.slice(from, to + 1) });
    from = to + 1;
  }
  return blocks.map((block, index) => {
    const end = blocks[index + 1]?.start ?? start + source.length;
    return { ...block, source: source.slice(block.start - start, end - start) };
  });
}

/** Lines as markdown-it counts them. */
function lineStarts(source: string): readonly number[] {
  const starts = [0];
  for (const end of source.matchAll(/\r\n?|\n/g)) starts.push(end.index + end[0].length);
  return starts;
}
