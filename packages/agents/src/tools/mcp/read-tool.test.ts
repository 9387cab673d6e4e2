import { expect, test } from "vitest";
import { readTool } from "./read-tool.ts";

const object = { type: "object" };

test("fields of null, or of another type, are absent fields of a tool", () => {
  const nulls = { title: null, description: null, annotations: null, execution: null, outputSchema: null, _meta: null };
  expect(readTool({ name: "t", inputSchema: object, icons: null, ...nulls })).toEqual({
    name: "t",
    description: "t",
    idempotent: false,
    inputSchema: object,
    outputSchema: null,
  });
  const odd = { title: 7, description: [], annotations: [], execution: "none", outputSchema: "none", _meta: [] };
  expect(readTool({ name: "t", inputSchema: object, ...odd })).toMatchObject({ description: "t", idempotent: false });
});

test("the description of a tool is the first text that says something", () => {
  const described = (fields: object) => readTool({ name: "t", inputSchema: object, ...fields }).description;
  expect(described({ description: "", title: "Title" })).toBe("Title");
  expect(described({ description: null, annotations: { title: "Hint" } })).toBe("Hint");
});

test.each([
  null,
  undefined,
  {},
  [],
  true,
  { type: null, properties: null, required: null },
  { type: ["object", "null"] },
])("an input schema of %j is that of an object", (inputSchema) => {
  expect(readTool({ name: "t", inputSchema }).inputSchema).toEqual(object);
});

test("nulls, empty lists for objects, and bounds of draft 4 within a schema are mended; quoted values stay", () => {
  const inputSchema = {
    $schema: null,
    type: "object",
    title: null,
    properties: {
      a: { type: "string", description: null, enum: ["x", null], default: null, pattern: null },
      b: { type: "object", properties: [], required: null, additionalProperties: null },
      c: null,
      d: { anyOf: [{ type: "string", format: null }, { type: "null" }] },
      e: { type: "number", minimum: 1, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false },
      f: { type: "array", items: { type: "string", maxLength: null } },
      required: { type: "boolean", required: true, const: null },
    },
    $defs: [],
    required: ["a"],
  };
  expect(readTool({ name: "t", inputSchema }).inputSchema).toEqual({
    type: "object",
    properties: {
      a: { type: "string", enum: ["x", null], default: null },
      b: { type: "object", properties: {} },
      c: {},
      d: { anyOf: [{ type: "string" }, { type: "null" }] },
      e: { type: "number", exclusiveMinimum: 1, maximum: 9 },
      f: { type: "array", items: { type: "string" } },
      required: { type: "boolean", const: null },
    },
    $defs: {},
    required: ["a"],
  });
});

test.each<[entry: unknown, reason: string]>([
  [null, "no object"],
  ["t", "no object"],
  [{ inputSchema: object }, "no name"],
  [{ name: null, inputSchema: object }, "no name"],
  [{ name: 7, inputSchema: object }, "no name"],
  [{ name: "t", inputSchema: "{}" }, "no JSON Schema"],
  [{ name: "t", inputSchema: { type: "string" } }, "not that of an object"],
  [{ name: "t", inputSchema: { type: "object", title: "x".repeat(60_000) } }, "longer than"],
  [{ name: "t", inputSchema: object, execution: { taskSupport: "required" } }, "MCP task"],
])("an entry like %j is refused, and the reason is said", (entry, reason) => {
  expect(() => readTool(entry)).toThrow(reason);
});
