import { expect, test } from "vitest";
import type { OfferedAgent } from "../../presence/agent-catalog.ts";
import { type AgentFields, agentRequestOf } from "./agent-config.ts";

/** An agent whose config has these fields. */
const agentWith = (...fields: readonly string[]) =>
  ({
    config_schema: { properties: Object.fromEntries(fields.map((field) => [field, {}])) },
  }) as unknown as OfferedAgent;

const read = (request: Partial<AgentFields>, ...fields: readonly string[]) =>
  agentRequestOf({ config: {}, limits: {}, ...request }, agentWith(...fields));

test("what asks for nothing is heeded by every agent", () => {
  const neutral = { temperature: 1, top_p: 1, frequency_penalty: 0, presence_penalty: 0, parallel_tool_calls: true };
  const request = { ...neutral, stop: [], seed: 7, verbosity: "medium", response_format: { type: "text" } as const };
  expect(read(request)).toEqual({ config: {}, limits: {} });
  expect(read({ response_format: request.response_format }, "response_schema").config).toEqual({});
});

test.each<Partial<AgentFields>>([{ temperature: 0 }, { stop: ["."] }, { stop: "." }, { reasoning_effort: "low" }])(
  "what the agent cannot heed is refused by its name: %j",
  (request) => {
    const [param] = Object.keys(request);
    expect(() => read(request)).toThrow(expect.objectContaining({ code: "invalid_request", param }));
    expect(read(request, `${param}`).config).toEqual(request);
  },
);

test("output tokens are limited by the agent's setting or, without one, by the platform", () => {
  expect(read({ max_completion_tokens: 9 }, "max_tokens")).toEqual({ config: { max_tokens: 9 }, limits: {} });
  expect(read({ max_tokens: 9 })).toEqual({ config: {}, limits: { max_output_tokens: 9 } });
  expect(read({ max_tokens: 9, limits: { max_output_tokens: 5 } }).limits).toEqual({ max_output_tokens: 5 });
  expect(read({ max_tokens: 9_999_999 }).limits).toEqual({ max_output_tokens: 1_000_000 });
});
