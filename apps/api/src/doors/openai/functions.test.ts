import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { expect, test } from "vitest";
import { inFieldsOfFunctions, toolsOf } from "./functions.ts";

const told = (param: string) =>
  inFieldsOfFunctions(new PlatformError("invalid_request", { message: `${param}: is wrong`, param }));

test.each([
  ["tools.3.name", "tools.3.function.name"],
  ["tools.0.parameters.properties.a", "tools.0.function.parameters.properties.a"],
  ["tools", "tools"],
  ["tool_choice.name", "tool_choice.function.name"],
  ["tool_choice", "tool_choice"],
  ["metadata.name", "metadata.name"],
])("an error of %s is one of %s", (param, own) => {
  expect(told(param)).toMatchObject({ param: own, message: `${own}: is wrong` });
});

test("a function that no agent can have is refused by its place", () => {
  const name = (name: string) => ({ type: "function" as const, function: { name } });
  expect(() => toolsOf([name("f"), name("no name")])).toThrow(expect.objectContaining({ param: "tools.1.name" }));
});
