/** `tools` of OpenAI, which are functions, as tools of the client. */
import type { ClientTool, ToolChoice } from "@agent-paas/shared/contract/client-tools.ts";
import { z } from "zod";
import { ToolChoiceSchema, ToolsSchema } from "../../validation/client-tools.ts";
import { validate } from "../../validation/validate.ts";
import { ofField, stepsOf } from "./error-field.ts";
import { ChoiceSchema, FUNCTION_FIELDS, FunctionTypeSchema } from "./request-fields.ts";

const FunctionSchema = z.looseObject({ type: FunctionTypeSchema, function: z.looseObject(FUNCTION_FIELDS) });

export const FunctionsSchema = z.array(FunctionSchema).optional();

export const FunctionChoiceSchema = z
  .union([ChoiceSchema, z.looseObject({ type: z.literal("function"), function: z.looseObject({ name: z.string() }) })])
  .optional();

/** Throws `invalid_request`. */
export function toolsOf(functions: z.infer<typeof FunctionsSchema> = []): readonly ClientTool[] {
  const tools = functions.map(({ function: { name, description, parameters } }) => ({
    name,
    ...(description == null ? {} : { description }),
    ...(parameters == null ? {} : { parameters }),
  }));
  return (validate(ToolsSchema, tools, ["tools"]) ?? []) as readonly ClientTool[];
}

/** Without tools there is nothing to choose, and clients say `auto` or `none` all the same. */
export function toolChoiceOf(choice: z.infer<typeof FunctionChoiceSchema>): ToolChoice | undefined {
  const named = typeof choice === "object" ? { name: choice.function.name } : choice;
  return validate(ToolChoiceSchema, named, ["tool_choice"]);
}

/** An error of a tool, or of its choice, as one of the function in which chat completions have it. */
export function inFieldsOfFunctions(error: unknown): unknown {
  const [field = "", ...path] = stepsOf(error);
  if (field === "tools" && path.length > 1) return ofField(error, [field, `${path[0]}`, "function", ...path.slice(1)]);
  if (field === "tool_choice" && path.length > 0) return ofField(error, [field, "function", ...path]);
  return error;
}
