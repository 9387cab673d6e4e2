/**
 * The table of providers: what each sends, and what becomes of it. The answers have the recorded shapes of each
 * provider, in words of this project; none of them is live. Each is served over HTTP, whole and in writes of 7 bytes.
 */
import { createOpenAiProvider } from "@agent-paas/agents/model/openai/provider.ts";
import { ERROR_CODES } from "@agent-paas/shared/errors/codes.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askInLoop, askOnce, type Gathered } from "./ask-provider.ts";
import { PROVIDERS } from "./index.ts";
import type { ProviderCase } from "./provider-case.ts";
import { serveAnswers } from "./serve-answers.ts";

const LIMITS = { connectMs: 5_000, firstTokenMs: 5_000, idleMs: 5_000, totalMs: 10_000 };
const HELLO = { role: "user", content: "Hello" } as const;

const cases = PROVIDERS.flatMap(({ name, cases }) => cases.map((each) => [`${name}: ${each.title}`, each] as const));

let server: Awaited<ReturnType<typeof serveAnswers>>;
beforeAll(async () => {
  server = await serveAnswers();
});
afterAll(() => server.close());

test("the table has at least 100 cases, each with its own title and its source", () => {
  expect(cases.length).toBeGreaterThanOrEqual(100);
  expect(new Set(cases.map(([title]) => title)).size).toBe(cases.length);
  expect(cases.filter(([, { source }]) => !/^https:\/\/|^[\w.-]+\/[\w.-]+: /.test(source))).toEqual([]);
});

describe.concurrent.each([
  ["whole", false],
  ["in writes of 7 bytes", true],
] as const)("answers that arrive %s", (_, isCut) => {
  test.each(cases)("%s", async (_, each) => {
    const { baseUrl, sent } = server.add(each.answers, isCut);
    const provider = createOpenAiProvider({ baseUrl, apiKey: "key-of-the-platform", limits: LIMITS });
    try {
      const model = provider.model({ defaultModel: "m", responseFormat: "none" });
      const { messages = [HELLO], options = {}, tools } = each.request ?? {};
      const request = { ...options, messages };
      const ask = () => (each.by === "loop" ? askInLoop(model, request) : askOnce(model, request, tools === true));
      for (let time = 1; time < (each.times ?? 1); time++) await ask();
      const gathered = await ask();
      expectOutcome(gathered, each.expect);
      expectSent(sent, each);
    } finally {
      await provider.close();
    }
  });
});

function expectOutcome(gathered: Gathered, wanted: ProviderCase["expect"]): void {
  const { shown = "", thoughts = "", calls = [], finishReason, usage, error } = wanted;
  if (error === undefined) expect(gathered.error).toBeUndefined();
  else expectError(gathered.error, error);
  // White space around thoughts is of no account.
  expect({ shown: gathered.shown, thoughts: gathered.thoughts.trim() }).toEqual({ shown, thoughts: thoughts.trim() });
  expect(gathered.calls).toEqual(calls.map((call) => ({ id: expect.stringMatching(/./), ...call })));
  expect(new Set(gathered.calls.map(({ id }) => id)).size).toBe(calls.length);
  const { turn } = gathered;
  if (turn === undefined) return;
  expect(turn.content).toBe(shown);
  expect((turn.reasoning ?? "").trim()).toBe(thoughts.trim());
  if (finishReason !== undefined) expect(turn.finishReason).toBe(finishReason);
  const [input, output, total] = usage === undefined || usage === "estimated" ? [] : usage;
  if (total !== undefined) {
    expect(turn.usage).toEqual({ input_tokens: input, output_tokens: output, total_tokens: total });
  } else {
    const counts = Object.values(turn.usage);
    expect(counts.filter((count) => !Number.isSafeInteger(count) || count < 0)).toEqual([]);
    expect(turn.usage.total_tokens).toBeGreaterThan(0);
  }
}

function expectError(error: unknown, { code, says, retryAfterMs }: NonNullable<ProviderCase["expect"]["error"]>): void {
  if (!(error instanceof PlatformError)) throw error ?? new Error(`there was no ${code}`);
  expect({ code: error.code, retryable: error.retryable, message: error.message }).toEqual({
    code,
    retryable: ERROR_CODES[code].retryable,
    message: expect.stringContaining(says ?? ""),
  });
  expect(error.message).not.toContain("key-of-the-platform");
  if (retryAfterMs !== undefined) expect(error.retryAfterMs).toBe(retryAfterMs);
}

function expectSent(sent: readonly unknown[], { answers, expect: { sent: wanted = [] } }: ProviderCase): void {
  expect(sent).toHaveLength(answers.length);
  for (const [at, { has = {}, lacks = [] }] of wanted.entries()) {
    expect(sent[at]).toMatchObject(has);
    for (const path of lacks) expect(sent[at]).not.toHaveProperty(path);
  }
}
