import { expect, test } from "vitest";
import { createBeats, progressOf } from "./progress.ts";
import { toolOf } from "./tools.ts";

const agent = (config_schema: Record<string, unknown>, more: object = {}) => ({
  ...{ id: "one", description: "Does one thing.", config_schema, ...more },
  ...{ tools: [], unavailable_tools: [], client_tools: false },
});

test("references within a config lead to the same schemas in the tool's", () => {
  const { inputSchema } = toolOf(
    agent({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: { node: { $ref: "#/$defs/node" }, self: { $ref: "#" }, other: { $ref: "#/properties/node" } },
      $defs: { node: { type: "object", properties: { next: { $ref: "#/$defs/node" } } } },
    }),
  );
  expect(inputSchema).toMatchObject({
    properties: {
      config: {
        properties: {
          node: { $ref: "#/$defs/node" },
          self: { $ref: "#/properties/config" },
          other: { $ref: "#/properties/config/properties/node" },
        },
      },
    },
    $defs: { node: { properties: { next: { $ref: "#/$defs/node" } } } },
  });
});

test("what an agent needs is required", () => {
  const required = (config: object, more: object = {}) =>
    toolOf(agent({ type: "object", ...config }, more)).inputSchema.required;
  expect(required({})).toEqual(["message"]);
  expect(required({ required: ["key"] })).toEqual(["message", "config"]);
  expect(required({}, { needs_message: false })).toEqual([]);
});

test("an answer's schema that is no object's is not shown, because clients take no other", () => {
  const withDefault = (response_schema: unknown) =>
    toolOf(agent({ type: "object", properties: { response_schema } })).outputSchema;
  expect(withDefault({ type: "object", default: { type: "object" } })).toEqual({ type: "object" });
  expect(withDefault({ type: "object", default: { type: "array" } })).toBeUndefined();
  expect(withDefault({ type: "object" })).toBeUndefined();
});

test("progress rises from thought to thought, and between two", () => {
  const beat = createBeats();
  const thought = (seq: number) => progressOf({ type: "status", content: "At work" }, seq)?.progress ?? 0;
  const values = [thought(3), beat(3).progress, beat(3).progress, thought(4), beat(9).progress, thought(10)];
  expect(values).toEqual([...values].sort((a, b) => a - b));
  expect(new Set(values).size).toBe(values.length);
  for (let more = 0; more < 5_000; more++) expect(beat(10).progress).toBeLessThan(11);
});

test("a piece of reasoning is no progress, and an agent's own progress is a part of the total", () => {
  expect(progressOf({ type: "reasoning", content: "Hm" }, 3)).toBeNull();
  expect(progressOf({ type: "progress", content: "Half", progress: 0.5 }, 6)).toEqual({
    ...{ progress: 6, total: 12, message: "Half" },
  });
  expect(progressOf({ type: "progress", content: "Begun", progress: 0 }, 6)).toEqual({ progress: 6, message: "Begun" });
});
