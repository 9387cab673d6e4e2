import { expect, test } from "vitest";
import { ModelsConfigSchema } from "./models-config.ts";

const read = (models: unknown) =>
  ModelsConfigSchema.safeParse(typeof models === "string" ? models : JSON.stringify(models));

test("a model may say no more than its name", () => {
  expect(read({ small: {} }).data).toEqual({ small: { fallbacks: [], limits: {}, options: {} } });
});

test.each<[string, unknown, string, string]>([
  ["no JSON", "{", "", "expected JSON"],
  ["a list", ["small"], "", "Invalid input: expected record, received array"],
  ["an empty name", { "": {} }, "", "Invalid key in record"],
  ["an unknown field", { a: { url: "http://h" } }, "a", 'Unrecognized key: "url"'],
  ["a base URL of another scheme", { a: { base_url: "ftp://h" } }, "a.base_url", "Invalid URL"],
  [
    "a key instead of its variable",
    { a: { api_key_env: "sk-1234" } },
    "a.api_key_env",
    "expected the name of a variable",
  ],
  ["a time that is none", { a: { limits: { idle_ms: "1s" } } }, "a.limits.idle_ms", "expected number"],
  ["an unknown limit", { a: { limits: { tokens: 5 } } }, "a.limits", 'Unrecognized key: "tokens"'],
  ["an unknown option", { a: { options: { top_k: 5 } } }, "a.options", 'Unrecognized key: "top_k"'],
  ["a fallback that is not listed", { a: { fallbacks: ["b"] } }, "a.fallbacks", '"b" is not listed'],
  ["a fallback to all others", { a: { fallbacks: ["*"] }, "*": {} }, "a.fallbacks", '"*" is not listed'],
  ["a name for all others", { "*": { model: "b" } }, "*.model", "stands for many models"],
])("%s is refused by name", (_, models, path, message) => {
  const [issue] = read(models).error?.issues ?? [];
  expect(issue?.path.join(".") ?? "accepted").toBe(path);
  expect(issue?.message).toContain(message);
});
