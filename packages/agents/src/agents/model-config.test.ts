/** What the config fields of the built-in agents become in a request to a provider. */
import { expect, test } from "vitest";
import { z } from "zod";
import { type Asked, json, says, withProvider } from "../../../../test/support/scripted-provider.ts";
import { modelConfigFields, modelOptions } from "./model-config.ts";

const CONFIG = {
  ...{ temperature: 0.5, top_p: 0.9, max_tokens: 50, frequency_penalty: 0.3, presence_penalty: -0.5 },
  ...{ stop: ["END"], seed: 7, reasoning_effort: "low" },
};
const TOOL = { name: "f", description: "", parameters: {} };

async function sentFor(config: object, tools = [TOOL]): Promise<Asked> {
  const options = modelOptions(z.strictObject(modelConfigFields).parse(config));
  return withProvider(
    () => says("Yes."),
    async ({ ask, asked }) => {
      await ask({ ...options, messages: [{ role: "user", content: "Hi" }], tools });
      return asked[0];
    },
  );
}

test("each setting reaches the provider under its name", async () => {
  expect(await sentFor({ ...CONFIG, parallel_tool_calls: false })).toMatchObject({
    ...{ ...CONFIG, parallel_tool_calls: false },
  });
  expect(await sentFor({ stop: "END" })).toMatchObject({ stop: "END" });
});

test("what every provider does by itself is not asked for", async () => {
  const defaults = { frequency_penalty: 0, presence_penalty: 0, stop: [], parallel_tool_calls: true };
  expect(Object.keys(await sentFor(defaults)).sort()).toEqual(Object.keys(await sentFor({})).sort());
  expect(await sentFor({ parallel_tool_calls: false }, [])).not.toHaveProperty("parallel_tool_calls");
});

test.each(["frequency_penalty", "reasoning_effort", "parallel_tool_calls", "stop", "seed"])(
  "a provider that refuses %s is heard by the field of the config",
  async (field) => {
    const refusal = { message: `'${field}' is not supported with this model.`, param: field };
    await withProvider(
      () => json(400, { error: { ...refusal, type: "invalid_request_error" } }),
      async ({ ask }) => {
        await expect(ask({ messages: [{ role: "user", content: "Hi" }] })).rejects.toMatchObject({
          ...{ code: "model_rejected", param: `config.${field}` },
        });
      },
    );
  },
);
