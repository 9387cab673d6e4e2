/**
 * Reads one entry of a server's list of tools. An optional field that is not of its type counts as absent: one null
 * must not cost the tool. Throws an `Error` that says why the entry cannot be offered.
 */
import { type Fields, isFields } from "@agent-paas/shared/json/fields.ts";
import { asJson } from "./as-json.ts";
import { mendSchema } from "./mend-schema.ts";

export type ListedTool = {
  /** The server's own name for it. */
  readonly name: string;
  readonly description: string;
  readonly idempotent: boolean;
  /** JSON Schema of an object. */
  readonly inputSchema: Fields;
  /** That of the structured result, if the server has one. */
  readonly outputSchema: Fields | null;
};

const MAX_SCHEMA_CHARS = 50_000;

/** The name by which the log speaks of an entry: that of the server, or its place in the list. */
export const nameOf = (entry: unknown, index: number): string =>
  isFields(entry) && typeof entry.name === "string" ? entry.name.slice(0, 100) : `#${index + 1}`;

export function readTool(entry: unknown): ListedTool {
  if (!isFields(entry)) throw new Error("it is no object");
  const { name, title, description, execution } = entry;
  if (typeof name !== "string") throw new Error("it has no name");
  const annotations = isFields(entry.annotations) ? entry.annotations : {};
  if (isFields(execution) && execution.taskSupport === "required") {
    throw new Error("it runs only as an MCP task, which this client does not support");
  }
  const texts = [description, title, annotations.title, name];
  return {
    name,
    description: texts.find((text) => typeof text === "string" && text !== "")?.toString() ?? name,
    idempotent: annotations.readOnlyHint === true || annotations.idempotentHint === true,
    inputSchema: schemaOf(entry.inputSchema),
    outputSchema: outputSchemaOf(entry.outputSchema),
  };
}

function schemaOf(schema: unknown): Fields {
  const isNone = schema === undefined || schema === null || schema === true || isEmptyArray(schema);
  const given = isNone ? {} : schema;
  if (!isFields(given)) throw new Error("its inputSchema is no JSON Schema");
  const json = asJson(given);
  if (json === null) throw new Error("its inputSchema is nested too deeply");
  if (json.length > MAX_SCHEMA_CHARS) throw new Error(`its inputSchema is longer than ${MAX_SCHEMA_CHARS} characters`);
  const { type, ...mended } = mendSchema(given);
  const types = [type].flat().filter((each) => each !== undefined);
  if (types.length > 0 && !types.includes("object")) throw new Error("its inputSchema is not that of an object");
  return { ...mended, type: "object" };
}

/** A result is not checked against a schema that is none. */
function outputSchemaOf(schema: unknown): Fields | null {
  try {
    return isFields(schema) ? schemaOf(schema) : null;
  } catch {
    return null;
  }
}

const isEmptyArray = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
