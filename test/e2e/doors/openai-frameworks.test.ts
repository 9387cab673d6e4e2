/** Frameworks that know OpenAI's API, each a process of its own with the platform as its provider of models. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../../support/api-client.ts";
import { besideExample } from "../../support/framework-example.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../../support/platform.ts";
import { ROOT } from "../../support/sources.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

const PARIS = { city: "Paris", degrees: 21.5 };
const RUN_WITHIN_MS = 120_000;

async function run(client: string, example: string): Promise<{ readonly result: Json; readonly word: string }> {
  const file = await besideExample(example, join(ROOT, `test/fixtures/openai-clients/${client}.mjs`));
  const word = randomUUID();
  const prompts = {
    plain: `[[tokens=30]] ${word}`,
    calls: `[[calls=weather({"city":"Paris"});weather({"city":"Rome"})|weather({"city":"Oslo"})]] ${word}`,
    json: `[[text=${encodeURIComponent(JSON.stringify(PARIS))}]] ${word}`,
  };
  const { PATH, HOME } = process.env;
  const env = {
    PATH,
    HOME,
    BASE_URL: `${platform.alice.origin}/v1`,
    API_KEY: KEYS.alice,
    PROMPTS: JSON.stringify(prompts),
  };
  const { stdout } = await promisify(execFile)(process.execPath, [file], { env, timeout: RUN_WITHIN_MS });
  return { result: JSON.parse(stdout), word };
}

test.each([
  ["ai-sdk", "ai-sdk"],
  ["langchain", "langgraph"],
  ["openai-agents", "openai-agents"],
])(
  "%s streams, calls its tools, reads objects and understands errors",
  async (client, example) => {
    const { result, word } = await run(client, example);
    const { result: answer, usage } = await platform.alice.job(result.id.replace(/^chatcmpl-/, ""));
    expect(result).toMatchObject({
      text: answer.content,
      outputTokens: usage.output_tokens,
      object: PARIS,
      status: 404,
    });
    expect(result.pieces).toBeGreaterThan(10);
    expect(result.answers).toHaveLength(2);
    for (const text of result.answers) expect(text).toContain("Oslo: sun");
    // One request for each turn of the client, none of them repeated.
    expect(await platform.model.calls({ contains: word })).toHaveLength(1 + 2 * 3 + 1);
  },
  RUN_WITHIN_MS + 60_000,
);
