import { expect, test } from "vitest";
import { MOST_SCANS, slownessOf } from "../../../../../test/support/slowness.ts";
import { DONE, delta, outcomeOf } from "../../../../../test/support/streaming-provider.ts";
import { createThinkTags } from "./think-tags.ts";

/** What becomes of a text in one piece; in pieces of any size it must become the same. */
function split(text: string): readonly [thoughts: string, answer: string] {
  const whole = splitPieces([text]);
  for (const size of [1, 2, 3, 5, 7]) {
    const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
      text.slice(at * size, (at + 1) * size),
    );
    expect(splitPieces(pieces), `in pieces of ${size}`).toEqual(whole);
  }
  return whole;
}

function splitPieces(pieces: readonly string[]): readonly [string, string] {
  const out = { text: "", reasoning: "" };
  const tags = createThinkTags({
    piece(type, content) {
      expect(content).not.toBe("");
      out[type] += content;
    },
    textWasReasoning() {
      out.reasoning += out.text;
      out.text = "";
    },
  });
  for (const piece of pieces) tags.add(piece);
  tags.end();
  return [out.reasoning, out.text];
}

test.each([
  ["<think>So.</think>Hello", "So.", "Hello"],
  ["<think>\nSo.\n</think>\n\nHello", "So.\n", "Hello"],
  ["\n\n<think>\nSo.</think>Hello", "So.", "Hello"],
  ["<THINK>So.</Think>Hello", "So.", "Hello"],
  ["<think>\n\n</think>\n\nHello", "", "Hello"],
  ["<think></think>Hello", "", "Hello"],
  ["<thinking>So.</thinking>Hello", "So.", "Hello"],
  ["<thought>So.</thought>Hello", "So.", "Hello"],
  ["<seed:think>So.</seed:think>Hello", "So.", "Hello"],
  ["<mm:think>So.</mm:think>Hello", "So.", "Hello"],
  ["[THINK]So.[/THINK]Hello", "So.", "Hello"],
  ["◁think▷So.◁/think▷Hello", "So.", "Hello"],
  ["<|START_THINKING|>So.<|END_THINKING|><|START_RESPONSE|>Hello", "So.", "Hello"],
  ["<|channel|>analysis<|message|>So.<|end|><|start|>assistant<|channel|>final<|message|>Hello", ...["So.", "Hello"]],
  ["<think>a < b </ c </thin d</think>Hello", "a < b </ c </thin d", "Hello"],
  ["<think>One.</think><think>Two.</think>Hello", "One.Two.", "Hello"],
  ["<think>One.</think>Hello <think>Two.</think>world", "One.Two.", "Hello world"],
  ["<think>你好🎉</think>再见🎉", "你好🎉", "再见🎉"],
  ['<think>So.</think>{"a":1}', "So.", '{"a":1}'],
])("%j has thoughts", (text, thoughts, answer) => {
  expect(split(text)).toEqual([thoughts, answer]);
});

test.each([
  ["So it is.\n</think>\n\nHello", "So it is.\n", "Hello"],
  ["So it is.</think>Hello", "So it is.", "Hello"],
  ["</think>\n\nHello", "", "Hello"],
  ["\n</think>Hello", "", "Hello"],
  ["</mm:think>Hello", "", "Hello"],
  ["It `is`.\n```\ncode\n```\n</think>Hello </think> world", "It `is`.\n```\ncode\n```\n", "Hello </think> world"],
])("%j has thoughts although the opening tag is in the prompt", (text, thoughts, answer) => {
  expect(split(text)).toEqual([thoughts, answer]);
});

test.each([
  ["The tag <think> begins thoughts, and </think> ends them."],
  ["Thoughts end with `</think>`."],
  ['Thoughts end with "</think>", as said.'],
  ["Write it so:\n\n```\n<think>\nSo.\n</think>\nHello\n```\n"],
  ["Write it so:\n\n```xml\nSo.\n</think>\n```\nDone."],
  ["`<think>` is a tag."],
  ["a < b and b <"],
  ["a <think"],
  ["<thin"],
  ["[THIN"],
  ["<"],
  ["<p>Hello</p>"],
  ["[THIS] is a list."],
  ["  indented"],
  [" \n"],
])("%j is an answer as it is", (text) => {
  expect(split(text)).toEqual(["", text]);
});

test("an answer may explain the tags after thoughts", () => {
  const answer = "The tag `<think>` begins thoughts:\n```\n<think>So.</think>\n```\n";
  expect(split(`<think>So.</think>${answer}`)).toEqual(["So.", answer]);
});

test("thoughts without an end are thoughts, and within the answer they were none", () => {
  expect(split("<think>So it is")).toEqual(["So it is", ""]);
  expect(split("<think>So it is</thi")).toEqual(["So it is</thi", ""]);
  expect(split("<think>So.</think>The tag <think> begins it.")).toEqual([
    "So. begins it.",
    "The tag <think> begins it.",
  ]);
});

test("hostile texts take linear time", { timeout: 60_000 }, () => {
  for (const part of ["</think>", "`</think>` ", "<think>", "<", "\n", "`", " ", "<think>a</think>b"]) {
    for (const head of ["", "a", "<think>"]) {
      const work = (text: string) => {
        const tags = createThinkTags({ piece: () => {}, textWasReasoning: () => {} });
        tags.add(text);
        tags.end();
      };
      expect(slownessOf(head + part.repeat(65_536 / part.length), work), head + part).toBeLessThan(MOST_SCANS);
    }
  }
});

/** What is shown after each of these pieces. */
function shownAfterEach(pieces: readonly string[], isApart: boolean): string[] {
  let shown = "";
  const tags = createThinkTags({
    piece(_, content) {
      shown += content;
    },
    textWasReasoning: () => {},
  });
  if (isApart) tags.thoughtsCameApart();
  return pieces.map((piece) => {
    tags.add(piece);
    return shown;
  });
}

test.each([
  ["a lone sign", ["If a", " <", " b"], ["If a", "If a ", "If a < b"]],
  ["two characters", ["a </", "b"], ["a ", "a </b"]],
  ["the beginning", ["<", "b"], ["", "<b"]],
])("what may become a tag waits for the next piece alone: %s", (_, pieces, shown) => {
  expect(shownAfterEach(pieces, false)).toEqual(shown);
});

test.each([
  [
    "a sign, when the thoughts came in a field of their own",
    true,
    ["If a", " <", " b"],
    ["If a", "If a <", "If a < b"],
  ],
  ["a sign, when the thoughts came in other tags", false, ["[THINK]S[/THINK]If", " a <"], ["SIf", "SIf a <"]],
  ["what cannot become a tag", false, ["See: ", "<p", "[", "◁"], ["See: ", "See: <p", "See: <p[", "See: <p[◁"]],
])("%s does not wait within an answer", (_, isApart, pieces, shown) => {
  expect(shownAfterEach(pieces, isApart)).toEqual(shown);
});

test.each([
  ["text", ["a<"], "a<"],
  ["the beginning", [" <thi"], " <thi"],
  ["thoughts", ["<think>a</"], "a</"],
])("what is held back of %s is shown when a call follows", (_, pieces, shown) => {
  let after = "";
  const tags = createThinkTags({
    piece(_, content) {
      after += content;
    },
    textWasReasoning: () => {},
  });
  for (const piece of pieces) tags.add(piece);
  tags.flush();
  expect(after).toBe(shown);
  tags.end();
  expect(after).toBe(shown);
});

test("thoughts in the text of a provider are shown as thoughts", async () => {
  const { shown, thoughts, turn } = await outcomeOf([
    ...["<th", "ink>So", ".</thi", "nk>\n", "\nHel", "lo"].map((content) => delta({ content })),
    delta({}, "stop"),
    DONE,
  ]);
  expect([shown, thoughts]).toEqual(["Hello", "So."]);
  expect(turn).toMatchObject({ content: "Hello", reasoning: "So." });
});

test("text that was thoughts after all is taken back", async () => {
  const { shown, thoughts, turn } = await outcomeOf([
    ...["So it ", "is.\n</", "think>\n\n", "Hello"].map((content) => delta({ content })),
    delta({}, "stop"),
    DONE,
  ]);
  expect([shown, thoughts]).toEqual(["Hello", "So it is.\n"]);
  expect(turn).toMatchObject({ content: "Hello", reasoning: "So it is.\n" });
});

const MARK = { extra_content: { google: { thought: true } } };

test.each([
  ["with tags", ["<thought>One.", " Two."], "</thought>Hello"],
  ["without tags", ["One.", " Two."], "Hello"],
  ["with all tags in the thoughts", ["<thought>One.", " Two.</thought>"], "Hello"],
])("what Gemini marks as thoughts is thoughts, %s", async (_, marked, answer) => {
  const { shown, thoughts } = await outcomeOf([
    ...marked.map((content) => delta({ content, ...MARK })),
    delta({ content: answer }),
    delta({}, "stop"),
    DONE,
  ]);
  expect([shown, thoughts]).toEqual(["Hello", "One. Two."]);
});
