import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { expect, test } from "vitest";
import { formOf } from "./form.ts";

const asParams = (requestedSchema: unknown) => ({
  ...{ method: "elicitation/create", params: { mode: "form", message: "Which?", requestedSchema } },
});

test.each<[string, object | null]>([
  ["any", null],
  ["a choice", { type: "string", enum: ["red", "blue"], default: "red" }],
  ["a text of a format that forms do not have", { type: "string", format: "uuid", default: 1 }],
  ["a number of a few", { type: "integer", enum: [1, 2], minimum: "1" }],
  ["several of a few", { type: "array", items: { type: "string", enum: ["a", "b"], minLength: 1 }, uniqueItems: true }],
  [
    "an object",
    {
      ...{ type: "object", additionalProperties: false, required: ["on"] },
      properties: { on: { type: "boolean" }, at: { type: "string", format: "time" } },
    },
  ],
])("the form for an answer that is %s is one that the SDK's client takes", (_what, schema) => {
  const form = formOf(schema as Record<string, unknown> | null);
  expect(ElicitRequestSchema.safeParse(asParams(form?.requestedSchema)).error).toBeUndefined();
});

test.each<[string, object]>([
  ["numbers", { type: "array", items: { type: "number" } }],
  ["texts that are no choices", { type: "array", items: { type: "string" } }],
  ["an object within an object", { type: "object", properties: { size: { type: "object", properties: {} } } }],
  ["an object without known fields", { type: "object" }],
  ["a text or nothing", { type: ["string", "null"] }],
  ["anything", {}],
])("there is no form for %s", (_what, schema) => {
  expect(formOf(schema as Record<string, unknown>)).toBeNull();
});

test("an object is filled in as it is, and any other answer as a field", () => {
  const whole = formOf({ type: "object", properties: { on: { type: "boolean" } } });
  expect(whole?.answerIn({ on: true })).toEqual({ on: true });
  expect(formOf({ type: "boolean" })?.answerIn({ answer: true })).toBe(true);
});
