/**
 * Separates the thoughts that a model writes into its text, between tags, from its answer. The text may be cut
 * anywhere; what may still become a tag is held back, and nothing else: within an answer that is a lone `<`, for one
 * piece, and nothing at all when the thoughts came in a field of their own or in other tags.
 *
 * Thoughts come first: an opening tag counts at the beginning of the text, or of what follows thoughts. Within the
 * answer one counts only for a model that has already thought in such tags, and never in code or quotes: an answer that
 * explains the tags must not lose text. Some templates put the opening tag into the prompt. Then `</think>` alone says
 * that the text before it was thoughts, unless the text has spoken of the tags before.
 */
type Tag = { readonly open: string; readonly close: string; readonly answer?: string };

const THINK: Tag = { open: "<think>", close: "</think>" };

const TAGS: readonly Tag[] = [
  // DeepSeek, Qwen, GLM, MiniMax, Kimi K2, Hunyuan, Nemotron and most others
  THINK,
  // Claude when it is asked to
  { open: "<thinking>", close: "</thinking>" },
  // Gemini, EXAONE
  { open: "<thought>", close: "</thought>" },
  // Seed-OSS
  { open: "<seed:think>", close: "</seed:think>" },
  // Magistral
  { open: "[THINK]", close: "[/THINK]" },
  // MiniMax M3
  { open: "<mm:think>", close: "</mm:think>" },
  // Kimi K3, Kimi-VL
  { open: "<|open|>think<|sep|>", close: "<|close|>think<|sep|>", answer: "<|open|>response<|sep|>" },
  { open: "◁think▷", close: "◁/think▷" },
  // Command A
  { open: "<|START_THINKING|>", close: "<|END_THINKING|>", answer: "<|START_RESPONSE|>" },
  // gpt-oss, where the server does not read its format
  {
    open: "<|channel|>analysis<|message|>",
    close: "<|end|>",
    answer: "<|start|>assistant<|channel|>final<|message|>",
  },
];

/** These may stand before the answer alone: the opening tag is in the prompt, or the thoughts came elsewhere. */
const CLOSING: readonly string[] = TAGS.map(({ close }) => close);

const QUOTES = "\"'`“”‘’«»「『(（";
const FENCE = "```";

export type ThinkTagsOutput = {
  /** A piece of the answer or of the thoughts; never empty. */
  piece(type: "text" | "reasoning", content: string): void;
  /** All text so far was thoughts. */
  textWasReasoning(): void;
};

export function createThinkTags(out: ThinkTagsOutput) {
  /** What may be the beginning of a tag. */
  let held = "";
  /** White space at the beginning, which is no part of the answer if thoughts follow it. */
  let blank = "";
  let state: "start" | "thinking" | "text" = "start";
  let tag = THINK;
  let hasThought = false;
  /** Whether `</think>` would say that the text before it was thoughts. */
  let mayLackOpening = true;
  /** The thoughts within the answer, from their tag on: without an end they were no thoughts. */
  let within: string | null = null;
  /** Thoughts begin with their first word. */
  let isBlank = false;
  const code = createCodeScan();

  function text(content: string): void {
    if (content === "") return;
    if (hasThought || mayLackOpening) code.add(content);
    out.piece("text", content);
  }

  function reasoning(thought: string): void {
    const content = isBlank ? thought.trimStart() : thought;
    if (content === "") return;
    isBlank = false;
    if (within !== null) within += content;
    out.piece("reasoning", content);
  }

  function begin(found: Tag): void {
    tag = found;
    state = "thinking";
    hasThought = true;
    mayLackOpening = false;
    blank = "";
    isBlank = true;
  }

  /** Takes what is known from the beginning of `input` and returns the rest; null: more text is needed. */
  function atStart(input: string): string | null {
    const rest = input.trimStart();
    blank += input.slice(0, input.length - rest.length);
    if (rest === "") return null;
    const opened = TAGS.find(({ open }) => startsWith(rest, open));
    if (opened !== undefined) {
      begin(opened);
      return rest.slice(opened.open.length);
    }
    const dropped = hasThought && tag.answer !== undefined ? [...CLOSING, tag.answer] : CLOSING;
    const mark = dropped.find((each) => startsWith(rest, each));
    if (mark !== undefined) {
      blank = "";
      hasThought = true;
      mayLackOpening = false;
      return rest.slice(mark.length);
    }
    if ([...TAGS.map(({ open }) => open), ...dropped].some((each) => startsWith(each, rest))) {
      held = rest;
      return null;
    }
    state = "text";
    if (!hasThought) text(blank);
    blank = "";
    return rest;
  }

  function inThoughts(input: string): string | null {
    const found = firstOf(input, [tag.close]);
    if (found === null) {
      const kept = heldBack(input, [tag.close]);
      reasoning(input.slice(0, input.length - kept));
      held = input.slice(input.length - kept);
      return null;
    }
    reasoning(input.slice(0, found.at));
    // Within the answer the white space around thoughts is the answer's.
    state = within === null ? "start" : "text";
    within = null;
    return input.slice(found.at + tag.close.length);
  }

  function inText(input: string): string | null {
    const wanted = hasThought ? [tag.open] : mayLackOpening ? [THINK.close, THINK.open] : [];
    const found = firstOf(input, wanted);
    if (found === null) {
      const kept = heldBack(input, wanted);
      text(input.slice(0, input.length - kept));
      held = input.slice(input.length - kept);
      return null;
    }
    const after = input.slice(found.at + found.tag.length);
    text(input.slice(0, found.at));
    if (code.isInside()) {
      text(input.slice(found.at, found.at + found.tag.length));
    } else if (hasThought) {
      begin(tag);
      isBlank = false;
      within = input.slice(found.at, found.at + found.tag.length);
    } else {
      mayLackOpening = false;
      if (found.tag === THINK.open) {
        text(input.slice(found.at, found.at + found.tag.length));
      } else {
        hasThought = true;
        state = "start";
        out.textWasReasoning();
      }
    }
    return after;
  }

  /** Nearly all pieces of an answer have no beginning of a tag. */
  const hasNone = (content: string): boolean => !content.includes(tag.open.charAt(0));

  const STEPS = { start: atStart, thinking: inThoughts, text: inText };

  return {
    add(content: string): void {
      if (state === "text" && held === "" && hasNone(content)) {
        text(content);
        return;
      }
      let input: string | null = held === "" ? content : held + content;
      held = "";
      while (input !== null && input !== "") input = STEPS[state](input);
    },

    /** The thoughts came in a field of their own, so the text lacks no opening tag. */
    thoughtsCameApart(): void {
      mayLackOpening = false;
    },

    /** Text that the provider itself marks as thoughts; it may have tags all the same, and an answer behind them. */
    addThought(content: string): void {
      if (state === "thinking" || held !== "" || TAGS.some(({ open }) => startsWith(content.trimStart(), open))) {
        this.add(content);
        return;
      }
      hasThought = true;
      mayLackOpening = false;
      reasoning(content);
    },

    /** Something else follows: what was held back was no tag. */
    flush(): void {
      if (held === "") return;
      const rest = held;
      held = "";
      if (state === "thinking") {
        reasoning(rest);
        return;
      }
      const before = hasThought ? "" : blank;
      blank = "";
      state = "text";
      text(before + rest);
    },

    /** The answer has ended. */
    end(): void {
      this.flush();
      if (state === "thinking") {
        if (within !== null) out.piece("text", within);
      } else {
        if (!hasThought) text(blank);
        blank = "";
      }
    },
  };
}

/** Tells whether a text so far ends in code or behind a quotation mark. */
function createCodeScan() {
  let isFenced = false;
  /** Of the last line: its first characters, its back quotes, its last character. */
  let head = "";
  let marks = 0;
  let last = "";

  function readLine(piece: string): void {
    if (head.length < FENCE.length) head = (head + piece).trimStart().slice(0, FENCE.length);
    for (let at = piece.indexOf("`"); at >= 0; at = piece.indexOf("`", at + 1)) marks++;
    last = piece.charAt(piece.length - 1) || last;
  }

  return {
    add(content: string): void {
      let from = 0;
      for (let at = content.indexOf("\n"); at >= 0; at = content.indexOf("\n", from)) {
        readLine(content.slice(from, at));
        if (head === FENCE) isFenced = !isFenced;
        head = "";
        marks = 0;
        last = "";
        from = at + 1;
      }
      readLine(from === 0 ? content : content.slice(from));
    },
    isInside: (): boolean => isFenced || head === FENCE || marks % 2 === 1 || (last !== "" && QUOTES.includes(last)),
  };
}

/** Tags are compared in either case. */
const startsWith = (text: string, tag: string): boolean =>
  tag.length <= text.length && text.slice(0, tag.length).toLowerCase() === tag.toLowerCase();

type Found = { readonly at: number; readonly tag: string };

/** The first of these tags, all of which begin with the same character. Linear. */
function firstOf(text: string, tags: readonly string[]): Found | null {
  const first = tags[0]?.charAt(0);
  if (first === undefined) return null;
  for (let at = text.indexOf(first); at >= 0; at = text.indexOf(first, at + 1)) {
    const tag = tags.find((each) => startsWith(text.slice(at, at + each.length), each));
    if (tag !== undefined) return { at, tag };
  }
  return null;
}

/** How many characters at the end of the text may begin one of the tags. */
function heldBack(text: string, tags: readonly string[]): number {
  let most = 0;
  for (const tag of tags) {
    const first = tag.charAt(0);
    let at = text.indexOf(first, Math.max(0, text.length - tag.length + 1));
    while (at >= 0 && !startsWith(tag, text.slice(at))) at = text.indexOf(first, at + 1);
    if (at >= 0) most = Math.max(most, text.length - at);
  }
  return most;
}
