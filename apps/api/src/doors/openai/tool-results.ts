/** Results of the client's calls, which messages or items of a request bring to a session. */
import type { ToolResult } from "@agent-paas/shared/contract/client-tools.ts";
import { ToolResultsSchema } from "../../validation/client-tools.ts";
import { validate } from "../../validation/validate.ts";
import { ofField, stepsOf } from "./error-field.ts";

export type ResultFields = {
  /** The field that has all of them. */
  readonly list: string;
  /** Of each result, the path of what brings it. */
  readonly paths: readonly string[];
  /** How `call_id` and `content` are called there. */
  readonly names: Readonly<Record<string, string>>;
};

/** Throws `invalid_request` that names the request's own field. */
export function checkResults(results: readonly ToolResult[], fields: ResultFields): readonly ToolResult[] {
  if (results.length === 0) return results;
  try {
    return validate(ToolResultsSchema, results, ["tool_results"]) ?? [];
  } catch (error) {
    throw inFieldsOfResults(error, fields);
  }
}

/** An error of `tool_results` as one of the fields that they came in; any other as it is. */
export function inFieldsOfResults(error: unknown, { list, paths, names }: ResultFields): unknown {
  const [field, at, name, ...inner] = stepsOf(error);
  if (field !== "tool_results") return error;
  const path = at === undefined ? undefined : paths[Number(at)];
  if (path === undefined) return ofField(error, [list]);
  return ofField(error, name === undefined ? [path] : [path, names[name] ?? name, ...inner]);
}
