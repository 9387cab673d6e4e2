/** `config.response_schema`: the result is checked JSON; an answer that does not fit is returned to the model once. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { shownText } from "../support/sse-client.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

const response_schema = {
  type: "object",
  properties: { city: { type: "string" }, degrees: { type: "number" } },
  required: ["city", "degrees"],
  additionalProperties: false,
};
const FITTING = '{"city":"北京","degrees":21.5}';

/** Runs a job whose model gives these answers, one after the other. */
async function execute(answers: readonly string[], agent: string) {
  const task = `weather ${randomUUID()}`;
  // The answers are matched by order, because the correction is another last message.
  await platform.model.script({ steps: answers.map((text) => ({ text })) });
  const job = await platform.alice.ended(await platform.alice.execute(task, { config: { response_schema } }, agent));
  await platform.model.clear();
  return job;
}

test.each(["chat_basic", "tool_basic"])("the agent %s returns checked JSON, as text and as data", async (agent) => {
  expect(await execute([FITTING], agent)).toMatchObject({
    status: "completed",
    result: { content: FITTING, data: { city: "北京", degrees: 21.5 } },
  });
});

test("a fence around the JSON is removed, in the result and on the stream", async () => {
  const { id, result } = await execute([`\`\`\`json\n${FITTING}\n\`\`\``], "chat_basic");
  expect(result.content).toBe(FITTING);
  expect(shownText(await (await platform.alice.follow(id)).all())).toBe(FITTING);
});

test("an answer that does not fit the schema is returned to the model once, with the reason", async () => {
  await platform.model.script({ steps: [{ text: '{"city":"北京"}' }, { text: FITTING }] });
  const jobId = await platform.alice.execute("weather sent back", { config: { response_schema } });
  expect(await platform.alice.ended(jobId)).toMatchObject({ status: "completed", result: { content: FITTING } });
  const events = await (await platform.alice.follow(jobId)).all();
  expect(shownText(events)).toBe(FITTING);
  expect(events.some(({ data }) => data.type === "status" && String(data.content).includes("degrees"))).toBe(true);
  const calls = await platform.model.calls();
  expect((await platform.model.call(calls.at(-1)?.id ?? 0)).messages?.slice(-2)).toEqual([
    expect.objectContaining({ role: "assistant", content: '{"city":"北京"}' }),
    expect.objectContaining({ role: "user", content: expect.stringContaining("degrees") }),
  ]);
});

test("a second answer that does not fit fails the job with response_schema_mismatch and is kept", async () => {
  expect(await execute(["It is warm.", '{"city":7,"degrees":1}'], "chat_basic")).toMatchObject({
    status: "failed",
    attempt: 1,
    error: { code: "response_schema_mismatch", message: expect.stringContaining("city") },
    result: { content: '{"city":7,"degrees":1}' },
  });
});

test("an invalid schema fails the job without a model call", async () => {
  const jobId = await platform.alice.execute("weather, oddly", { config: { response_schema: { type: "whole" } } });
  expect((await platform.alice.ended(jobId)).error).toMatchObject({
    code: "invalid_config",
    message: expect.stringContaining("response_schema"),
  });
  expect(await platform.model.calls({ contains: "oddly" })).toEqual([]);
  const { status, body } = await platform.alice.post("/agents/chat_basic/execute", {
    task: "weather",
    config: { response_schema: "object" },
  });
  expect([status, body.error.param]).toEqual([400, "config.response_schema"]);
});
