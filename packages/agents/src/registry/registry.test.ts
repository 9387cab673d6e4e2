import { expect, test } from "vitest";
import { z } from "zod";
import { BaseAgent } from "../agent/agent.ts";
import { text } from "../agent/events.ts";
import { findAgent, listManifests, registerAgent } from "./registry.ts";

class EchoAgent extends BaseAgent {
  static readonly description = "Says what it is told.";
  static readonly config = z.strictObject({ times: z.int().min(1).default(1).describe("How often.") });
  async *run() {
    yield text("echo");
  }
}

test("a registered agent is found and described by its JSON Schema", () => {
  registerAgent("echo")(EchoAgent);
  expect(findAgent("echo")).toBe(EchoAgent);
  expect(listManifests([]).find(({ id }) => id === "echo")).toEqual({
    id: "echo",
    description: "Says what it is told.",
    tools: [],
    config_schema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: {
        times: { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER, default: 1, description: "How often." },
      },
      additionalProperties: false,
    },
  });
});

test("an id is registered once, and only a plain one", () => {
  registerAgent("once")(EchoAgent);
  expect(() => registerAgent("once")(EchoAgent)).toThrow(/registered already/);
  expect(() => registerAgent("No Spaces")(EchoAgent)).toThrow(/is no agent id/);
});

test("a schema without a JSON form is refused where it is registered", () => {
  class DatedAgent extends BaseAgent {
    static readonly description = "Has a date that JSON cannot describe.";
    static readonly config = z.strictObject({ since: z.date() });
    async *run() {
      yield text("never");
    }
  }
  expect(() => registerAgent("dated")(DatedAgent)).toThrow();
  expect(findAgent("dated")).toBeUndefined();
});

test("a class that lacks something is refused, whatever its types said", () => {
  const complete = { description: "Complete.", config: z.strictObject({}) };
  const classWith = (members: object) => Object.assign(class extends EchoAgent {}, members);
  const register = (members: object) => registerAgent("lacking")(classWith({ ...complete, ...members }));
  expect(() => register({ description: undefined })).toThrow(/"lacking" is incomplete: .*description/s);
  expect(() => register({ tools: "calculator" })).toThrow(/"lacking" is incomplete: .*tools/s);
  expect(() => register({ config: { type: "object" } })).toThrow('"lacking" has no Zod schema as static "config"');
  expect(() => registerAgent("lacking")(Object.assign(class {}, complete) as never)).toThrow('has no method "run"');
  expect(findAgent("lacking")).toBeUndefined();
});
