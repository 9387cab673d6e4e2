import { expect, test } from "vitest";
import { formOf } from "./form.ts";

const red = { type: "string", enum: ["red", "blue"], default: "red" };
const several = { type: "array", items: { type: "string", enum: ["a", "b"] }, minItems: 1 };

test.each<[string, object | null, object]>([
  ["any", null, { type: "string" }],
  ["a choice", red, red],
  ["a text of a format that forms do not have", { type: "string", format: "uuid", default: 1 }, { type: "string" }],
  ["a text of one that they have", { type: "string", format: "email" }, { type: "string", format: "email" }],
  ["a number of a few", { type: "integer", enum: [1, 2], minimum: "1", maximum: 2 }, { type: "integer", maximum: 2 }],
  ["several of a few", { ...several, uniqueItems: true }, several],
])("the form for an answer that is %s has what forms have", (_what, schema, answer) => {
  const form = formOf(schema as Record<string, unknown> | null);
  expect(JSON.parse(JSON.stringify(form?.requestedSchema))).toEqual({
    ...{ type: "object", properties: { answer }, required: ["answer"] },
  });
});

test("the form for an object has the object's fields", () => {
  const properties = { on: { type: "boolean" }, at: { type: "string", format: "time" } };
  const form = formOf({ type: "object", additionalProperties: false, required: ["on"], properties });
  expect(JSON.parse(JSON.stringify(form?.requestedSchema))).toEqual({
    ...{ type: "object", required: ["on"], properties: { on: { type: "boolean" }, at: { type: "string" } } },
  });
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
