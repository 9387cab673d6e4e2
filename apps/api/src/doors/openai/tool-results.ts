/** Results of the client's calls, which messages or items of a request bring to a session. */
import type { ToolResult } from "@agent-paas/shared/contract/client-tools.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { ToolResultsSchema } from "../../validation/client-tools.ts";
import { validate } from "../../validation/validate.ts";

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

/** An error of `tool_results` as one of the fields that have brought them; any other as it is. */
export function inFieldsOfResults(error: unknown, { list, paths, names }: ResultFields): unknown {
  const { param } = error instanceof PlatformError ? error : {};
  const [field, at = "", name = "", ...inner] = (param ?? "").split(".");
  if (!(error instanceof PlatformError) || field !== "tool_results") return error;
  const path = paths[at === "" ? -1 : Number(at)];
  const own = path === undefined ? list : [path, names[name] ?? name, ...inner].filter((step) => step !== "").join(".");
  return new PlatformError(error.code, { message: error.message.replace(param ?? "", own), param: own });
}
