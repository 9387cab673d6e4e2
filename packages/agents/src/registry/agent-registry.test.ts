import { expect, test } from "vitest";
import { z } from "zod";
import { BaseAgent } from "../agent/agent.ts";
import { text } from "../agent/events.ts";
import { createAgentRegistry } from "./agent-registry.ts";
import { createToolbox } from "./toolbox.ts";

class EchoAgent extends BaseAgent {
  static readonly description = "Repeats the task.";
  static readonly config = z.strictObject({ times: z.int().min(1).default(1).describe("How often.") });
  async *run() {
    yield text("echo");
  }
}

test("a registered agent is found and described by its JSON Schema", () => {
  const agents = createAgentRegistry();
  agents.register("echo", EchoAgent);
  expect(agents.find("echo")).toBe(EchoAgent);
  expect(agents.manifests(createToolbox())).toEqual([
    {
      id: "echo",
      description: "Repeats the task.",
      tools: [],
      unavailable_tools: [],
      client_tools: false,
      config_schema: {
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        properties: {
          times: {
            type: "integer",
            minimum: 1,
            maximum: Number.MAX_SAFE_INTEGER,
            default: 1,
            description: "How often.",
          },
        },
        additionalProperties: false,
      },
    },
  ]);
});

test("an agent id is registered once, and must consist of plain characters", () => {
  const agents = createAgentRegistry();
  agents.register("once", EchoAgent);
  expect(() => agents.register("once", EchoAgent)).toThrow(/registered already/);
  expect(() => agents.register("No Spaces", EchoAgent)).toThrow(/is no agent id/);
});

test("a schema without a JSON form is refused where it is registered", () => {
  class DatedAgent extends BaseAgent {
    static readonly description = "Has a date that JSON cannot describe.";
    static readonly config = z.strictObject({ since: z.date() });
    async *run() {
      yield text("never");
    }
  }
  const agents = createAgentRegistry();
  expect(() => agents.register("dated", DatedAgent)).toThrow();
  expect(agents.find("dated")).toBeUndefined();
});

test("a class that lacks a member is refused, whatever its types promise", () => {
  const agents = createAgentRegistry();
  const complete = { description: "Complete.", config: z.strictObject({}) };
  const classWith = (members: object) => Object.assign(class extends EchoAgent {}, members);
  const register = (members: object) => agents.register("lacking", classWith({ ...complete, ...members }));
  expect(() => register({ description: undefined })).toThrow(/"lacking" is incomplete: .*description/s);
  expect(() => register({ tools: "calculator" })).toThrow(/"lacking" is incomplete: .*tools/s);
  expect(() => register({ config: { type: "object" } })).toThrow('"lacking" has no Zod schema as static "config"');
  expect(() => agents.register("lacking", Object.assign(class {}, complete) as never)).toThrow('has no method "run"');
  expect(agents.find("lacking")).toBeUndefined();
});
