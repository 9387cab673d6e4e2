/**
 * Models by name (`MODELS`): the one that a request names answers, where the key's owner may use it; when it fails
 * before its first token, the next one does. A thought tells it, usage names who answered, and a later attempt goes on
 * with that one.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { freePort } from "../../scripts/services/ports.ts";
import type { Json } from "../support/api-client.ts";
import { SCREEN } from "../support/client-tools.ts";
import { startLoopbackServer } from "../support/loopback-server.ts";
import { FIXTURE_AGENTS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { type Answer, json, says, stream } from "../support/scripted-provider.ts";
import { waitFor } from "../support/wait-for.ts";

type Asked = { readonly key: string | undefined; readonly body: Json };

const DOWN: Answer = json(503, { error: { message: "down" } });
const CALL: Answer = stream(
  {
    choices: [
      {
        delta: {
          tool_calls: [{ index: 0, id: "c1", function: { name: "calculator", arguments: '{"expression":"1+1"}' } }],
        },
      },
    ],
  },
  { choices: [{ delta: {}, finish_reason: "tool_calls" }] },
);
/** Begins an answer and breaks off. */
const BROKEN: Answer = {
  status: 200,
  body: `data: ${JSON.stringify({ choices: [{ delta: { content: "Half" } }] })}\n\n`,
};

/** A provider of the test's own; null: it answers nothing. */
async function startProvider() {
  const asked: Asked[] = [];
  let answer: (at: number) => Answer | null = () => DOWN;
  const { origin, close } = await startLoopbackServer((body, response, request) => {
    const { status, body: said, headers = {} } = answer(asked.length) ?? {};
    asked.push({ key: request.headers.authorization, body: JSON.parse(body) });
    if (status !== undefined) response.writeHead(status, { "content-type": "text/event-stream", ...headers }).end(said);
  });
  return {
    ...{ baseUrl: `${origin}/v1`, asked, close },
    answers(next: typeof answer) {
      answer = next;
      asked.length = 0;
    },
  };
}

type Provider = Awaited<ReturnType<typeof startProvider>>;
let [main, spare]: Provider[] = [];
let platform: TestPlatform;
const provider = (which: Provider | undefined): Provider => which ?? expect.fail("not started");

beforeAll(async () => {
  [main, spare] = await Promise.all([startProvider(), startProvider()]);
  platform = await startTestPlatform({
    workers: 0,
    env: {
      ...FIXTURE_AGENTS,
      MAIN_KEY: "key-of-main",
      SPARE_KEY: "key-of-spare",
      MODELS: JSON.stringify({
        main: { base_url: provider(main).baseUrl, api_key_env: "MAIN_KEY", model: "main-1", fallbacks: ["spare"] },
        spare: {
          ...{ base_url: provider(spare).baseUrl, api_key_env: "SPARE_KEY", model: "spare-9" },
          options: { temperature: 0.3, max_tokens: 99, body: { reasoning_effort: "low" } },
        },
        keyless: { base_url: provider(main).baseUrl },
        closed: { base_url: `http://127.0.0.1:${await freePort()}/v1` },
        dear: { base_url: provider(spare).baseUrl, owners: ["bob"] },
      }),
    },
  });
  await platform.startWorker();
});
afterAll(async () => {
  await platform.stop();
  await Promise.all([main?.close(), spare?.close()]);
});
beforeEach(() => {
  for (const each of [main, spare]) provider(each).answers(() => DOWN);
});
afterEach(async () => {
  for (const each of [main, spare]) provider(each).answers(() => says("over"));
});

async function chat(config: Json, more: Json = {}, client = platform.alice) {
  const opened = await client.chat({ message: "Hi", config, ...more }, { "Accept-Language": "en" });
  const events = await opened.all();
  return { events, job: await client.job(opened.jobId) };
}

const fallbacksIn = (events: readonly Json[]) =>
  events.filter(({ data }) => data.type === "fallback").map(({ data }) => data);

test("two providers by name, one down: the other answers, a thought tells it, usage names it", async () => {
  provider(spare).answers(() => says("From the spare."));
  const { events, job } = await chat({ model: "closed", fallback_models: ["spare"] });
  expect(fallbacksIn(events)).toEqual([
    {
      content: "The model closed failed (model_unavailable), asking spare...",
      ...{ type: "fallback", model: "spare", instead_of: "closed", code: "model_unavailable" },
    },
  ]);
  const { models, ...counts } = job.usage;
  expect(job).toMatchObject({ status: "completed", attempt: 1, result: { content: "From the spare." } });
  expect(models).toEqual({ spare: counts });
  expect(events.at(-1)?.data.usage).toEqual(job.usage);
  expect(fallbacksIn(await (await platform.alice.follow(job.id)).all())).toHaveLength(1);
});

test("each provider gets its own key, its own name of the model, and the options of the setting", async () => {
  provider(spare).answers(() => says("Yes."));
  const { events } = await chat({ model: "main", top_p: 0.5 });
  expect(fallbacksIn(events)).toHaveLength(1);
  expect(provider(main).asked).toEqual([
    { key: "Bearer key-of-main", body: expect.objectContaining({ model: "main-1", top_p: 0.5 }) },
  ]);
  expect(provider(spare).asked).toMatchObject([
    {
      key: "Bearer key-of-spare",
      body: { model: "spare-9", top_p: 0.5, temperature: 0.3, max_tokens: 99, reasoning_effort: "low" },
    },
  ]);
  // The key of the default provider goes to no other.
  provider(main).answers(() => says("Yes."));
  await chat({ model: "keyless" });
  expect(provider(main).asked).toMatchObject([{ key: "Bearer none", body: { model: "keyless" } }]);
});

test("without a fallback that may answer, the job is retried, and its error is that of the model", async () => {
  provider(main).answers((at) => (at === 0 ? DOWN : says("Again.")));
  const { events, job } = await chat({ model: "main", fallback_models: [] });
  expect(fallbacksIn(events)).toEqual([]);
  expect(job).toMatchObject({ status: "completed", attempt: 2, usage: { models: { main: {} } } });
});

test("a model that has shown a token is not replaced: a new attempt starts over", async () => {
  provider(main).answers((at) => (at === 0 ? BROKEN : says("Whole.")));
  provider(spare).answers(() => says("Never."));
  const { events, job } = await chat({ model: "main" });
  expect(fallbacksIn(events)).toEqual([]);
  expect(job).toMatchObject({ status: "completed", attempt: 2, result: { content: "Whole." } });
  expect(provider(spare).asked).toEqual([]);
});

test("an image that one model does not take goes to the next one", async () => {
  provider(main).answers(() => json(404, { error: { message: "No endpoints found that support image input" } }));
  provider(spare).answers(() => says("A cat."));
  const message = [{ type: "image_url", image_url: { url: "https://example.com/cat.png" } }];
  const { events, job } = await chat({ model: "main" }, { message });
  expect(fallbacksIn(events)).toMatchObject([{ model: "spare", code: "model_input_unsupported" }]);
  expect(job).toMatchObject({ status: "completed", result: { content: "A cat." } });
  expect(provider(spare).asked).toMatchObject([{ body: { messages: [{ role: "user", content: message }] } }]);
});

test("a model is refused to the keys that it is not for", async () => {
  provider(spare).answers(() => says("Dear."));
  const { job } = await chat({ model: "dear" });
  expect(job).toMatchObject({
    status: "failed",
    error: { code: "model_not_allowed", message: 'The API key may not use the model "dear".' },
  });
  expect(await chat({ model: "main", fallback_models: ["dear"] })).toMatchObject({
    job: { error: { code: "model_not_allowed" } },
  });
  expect(provider(spare).asked).toEqual([]);
  expect(await chat({ model: "dear" }, {}, platform.bob)).toMatchObject({ job: { status: "completed" } });
});

test("a provider that asks to wait beyond the deadline ends the job at once, within it the job waits", async () => {
  const limited = (seconds: number): Answer => ({
    ...json(429, { error: { message: "slow down" } }),
    headers: { "retry-after": `${seconds}` },
  });
  const config = { model: "main", fallback_models: [] };
  provider(main).answers(() => limited(120));
  const { job } = await chat(config, { limits: { deadline_ms: 30_000 } });
  expect(job).toMatchObject({ status: "failed", attempt: 1, error: { code: "model_rate_limited" } });
  expect(job.error.message).toContain("asks to wait 120 s");
  provider(main).answers((at) => (at === 0 ? limited(2) : says("Patient.")));
  const patient = await chat(config, { limits: { deadline_ms: 30_000 } });
  expect(patient.job).toMatchObject({ status: "completed", attempt: 2 });
});

test("a later attempt goes on with the model that answered, although the first choice is back", async () => {
  provider(spare).answers((at) => (at === 0 ? CALL : null));
  const opened = await platform.alice.chat({ agent_type: "tool_basic", message: "Sum", config: { model: "main" } });
  await waitFor("the second turn", async () => provider(spare).asked.length === 2);
  await platform.workers.at(-1)?.kill();
  provider(main).answers(() => says("The first choice is back."));
  provider(spare).answers(() => says("It is 2."));
  await platform.startWorker();
  await opened.all();
  const job = await platform.alice.ended(opened.jobId);
  expect(job).toMatchObject({ status: "completed", attempt: 2, result: { content: "It is 2." } });
  expect(Object.keys(job.usage.models)).toEqual(["spare"]);
  expect([provider(main).asked.length, provider(spare).asked.length]).toEqual([0, 1]);
});

test("the turn that a client goes on with goes back to its own model as it was, and to others without what that signed", async () => {
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-models-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  const args = JSON.stringify({ file: join(dir, "words"), word: "x".repeat(9_000) });
  const calling = (at: number, name: string, args: string): Answer => {
    const reasoning_details = [{ type: "reasoning.encrypted", index: 0, data: `gAAA${at}+/==` }];
    const extra_content = { google: { thought_signature: `EhsM${at}+/==` } };
    const tool_calls = [{ index: 0, id: `c${at}`, extra_content, function: { name, arguments: args } }];
    const delta = { content: `Turn ${at}.`, reasoning_details, tool_calls };
    return stream({ choices: [{ delta }] }, { choices: [{ delta: {}, finish_reason: "tool_calls" }] });
  };
  const turns = [calling(0, "count_again", args), calling(1, "read_screen", "{}")];
  provider(main).answers((at) => turns[at] ?? says("Done."));
  provider(spare).answers(() => says("Done as well."));
  const config = { tools: ["count_again"], model: "main", fallback_models: [] };
  const post = (body: object) =>
    platform.alice.post("/chat/completions", { agent_type: "tool_basic", stream: false, config, ...body });
  const sent = (which: Provider | undefined) => provider(which).asked.map(({ body }) => body.messages);
  const first = await post({ message: "Look", tools: [SCREEN] });
  const { session_id } = first.body;
  const tool_results = [{ call_id: "c1", content: "Seen" }];

  // It fails, so that the same results go to both models.
  provider(spare).answers(() =>
    json(400, { error: { message: "context_length_exceeded", code: "context_length_exceeded" } }),
  );
  const other = await post({ session_id, tool_results, config: { ...config, model: "spare" } });
  expect(other.body.error.code).toBe("model_context_exceeded");
  expect(JSON.stringify(sent(spare))).toContain("x".repeat(9_000));
  expect(JSON.stringify(sent(spare))).not.toMatch(/gAAA|EhsM/);

  const next = await post({ session_id, tool_results });
  expect(next.body.status).toBe("completed");
  const [, before, after] = sent(main);
  // Byte for byte, so that a provider's cache knows it.
  expect(JSON.stringify(after.slice(0, before.length))).toBe(JSON.stringify(before));
  const [said, result] = after.slice(before.length);
  expect(said).toMatchObject({ content: "Turn 1.", reasoning_details: [{ data: "gAAA1+/==" }] });
  expect(said.tool_calls).toMatchObject([{ extra_content: { google: { thought_signature: "EhsM1+/==" } } }]);
  expect(result).toMatchObject({ role: "tool", content: "Seen" });

  // Later turns need nothing of it.
  await post({ session_id, message: "And now?" });
  const later = JSON.stringify(sent(main).at(-1));
  expect(later).toContain("Seen");
  expect(later).not.toMatch(/gAAA|EhsM/);
});
