import { describe, expect, test } from "vitest";
import { type Asked, stream, withProvider } from "../../../../../test/support/scripted-provider.ts";
import { createCumulativeText } from "./cumulative-text.ts";

/** What becomes of these pieces, each and the rest. */
function addedBy(pieces: readonly string[], expected: "unknown" | "cumulative" = "unknown"): string[] {
  const text = createCumulativeText(expected);
  return [...pieces.map((piece) => text.added(piece)), text.rest()];
}

const sum = (pieces: readonly string[]): string => addedBy(pieces).join("");
const soFar = (pieces: readonly string[]): string[] => pieces.map((_, at) => pieces.slice(0, at + 1).join(""));

describe("pieces that repeat the whole text so far add up to the text", () => {
  test.each([
    ["words", ["The", " cat", " sat", " on", " the", " mat", "."]],
    ["Chinese", ["你", "好", "，", "我", "是", "通义", "千问", "。"]],
    ["thoughts in tags", ["<think>", "So", ".", "</think>", "Hi"]],
    ["with repetitions later", ["No", ", I said", ": ", "no", " no", " no", " no"]],
  ])("%s", (_, pieces) => {
    expect(sum(soFar(pieces))).toBe(pieces.join(""));
    const whole = soFar(pieces);
    expect(sum([...whole, whole.at(-1) ?? ""])).toBe(pieces.join(""));
  });
});

describe("pieces that a model has written so stay as they are", () => {
  test.each([
    [["ha", "haha", "hahaha", "hahahaha"]],
    [["0", "00", "000", "0000", "1"]],
    [["no", "no no", "no no no no"]],
    [["\n", "\n\n", "\n\n1", "\n\n1. Ab"]],
    [["*\n", "**\n", "***\n", "****\n"]],
    [[" I", " In", " Int", " Inte", " Inter", " Intern"]],
    [["\n1", "\n12", "\n123", "\n1234", "\n12345", "\n123456"]],
    [["I", "It", " is"]],
    [["1", "10", "100", " euros"]],
    [["a", "a", "a"]],
    [["The", "The cat", "The cat sat"]],
  ])("%j", (pieces) => {
    expect(sum(pieces)).toBe(pieces.join(""));
  });

  test("pieces wait only as long as they grow", () => {
    expect(addedBy(["ha", "haha", "!", "!!"])).toEqual(["ha", "", "haha!", "!!", ""]);
    expect(addedBy(["Hel", "lo", "lo!"])).toEqual(["Hel", "lo", "lo!", ""]);
  });
});

test("a provider that was known to repeat is believed at once, until it does not", () => {
  expect(addedBy(["Yes", "Yes.", "Yes."], "cumulative")).toEqual(["Yes", ".", "", ""]);
  expect(addedBy(["Yes", ", ", "Yes", ", Yes"], "cumulative")).toEqual(["Yes", ", ", "Yes", ", Yes", ""]);
});

const deltas = (field: string, pieces: readonly string[]) =>
  soFar(pieces).map((text) => ({ choices: [{ index: 0, delta: { [field]: text } }] }));
const END = { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] };

test("a usage with each chunk does not hide that the text repeats", async () => {
  const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
  const chunks = deltas("content", ["It", " is", " so", "."]).map((chunk) => ({ ...chunk, usage }));
  await withProvider(
    () => stream(...chunks, END),
    async ({ ask }) => expect(await ask()).toMatchObject({ content: "It is so." }),
  );
});

test("a model whose text and thoughts repeat is known to do so, also for a short answer", async () => {
  const answers = [
    stream(
      ...deltas("reasoning_content", ["Let", " us", " see", " it."]),
      ...deltas("content", ["It", " is", " so", "."]),
      END,
    ),
    stream(...deltas("content", ["Yes", "."]), END),
    stream(...["Yes", ", ", "Yes"].map((content) => ({ choices: [{ index: 0, delta: { content } }] })), END),
    stream(...["ha", "haha"].map((content) => ({ choices: [{ index: 0, delta: { content } }] })), END),
  ];
  await withProvider(
    (_: Asked, at) => answers[at] ?? stream(),
    async ({ ask }) => {
      expect(await ask()).toMatchObject({ content: "It is so.", reasoning: "Let us see it." });
      expect(await ask()).toMatchObject({ content: "Yes." });
      expect(await ask()).toMatchObject({ content: "Yes, Yes" });
      expect(await ask()).toMatchObject({ content: "hahaha" });
    },
  );
});
