/** Checks values against the schemas of a server's tools: arguments before a call, structured results after it. */
import { type Fields, isFields } from "@agent-paas/shared/json/fields.ts";
import { compileSchema, InvalidSchema, type SchemaCheck } from "../../json-schema/json-schema.ts";
import { QUOTED } from "./mend-schema.ts";

/** The owner of checks that are nobody's. */
const UNNAMED = "";

/** Resolves with the first problem of the value; null for none. Rejects when the platform cannot check at present. */
export type ToolCheck = (value: unknown, owner?: string) => Promise<string | null>;

/**
 * Compiles the schema at the first check. One that is invalid is skipped from then on, because the server checks as
 * well; one that took too long is tried again. A value that the schema cannot judge passes.
 */
export function createToolCheck(schema: Fields): ToolCheck {
  let compiled: Promise<SchemaCheck | null> | undefined;

  async function checkFor(owner: string): Promise<SchemaCheck | null> {
    try {
      return await compileCheckable(schema, owner);
    } catch (error) {
      if (!(error instanceof InvalidSchema) || error.tooSlow) compiled = undefined;
      if (!(error instanceof InvalidSchema)) throw error;
      return null;
    }
  }

  return async (value, owner = UNNAMED) => {
    compiled ??= checkFor(owner);
    const check = await compiled;
    try {
      return check === null ? null : await check(value, owner);
    } catch (error) {
      if (!(error instanceof InvalidSchema)) throw error;
      return null;
    }
  };
}

/** Rejects with the reason when no provider would take the schema. One that cannot be judged at present passes. */
export async function assertUsable(schema: Fields): Promise<void> {
  try {
    await compileCheckable(schema, UNNAMED);
  } catch (error) {
    if (error instanceof InvalidSchema && !error.tooSlow)
      throw new Error(`its inputSchema is invalid: ${error.message}`);
  }
}

/** The platform's patterns have no lookahead, which those of servers may have: they are left to the server. */
async function compileCheckable(schema: Fields, owner: string): Promise<SchemaCheck> {
  try {
    return await compileSchema(schema, owner);
  } catch (error) {
    if (!(error instanceof InvalidSchema) || error.tooSlow) throw error;
    return compileSchema(withoutPatterns(schema), owner);
  }
}

/** Drops the keyword wherever its value is a text, so a property of that name stays. */
function withoutPatterns(schema: Fields): Fields {
  const kept = Object.entries(schema).filter(([key, value]) => !(key === "pattern" && typeof value === "string"));
  return Object.fromEntries(kept.map(([key, value]) => [key, QUOTED.has(key) ? value : withoutPatternsIn(value)]));
}

function withoutPatternsIn(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPatternsIn);
  return isFields(value) ? withoutPatterns(value) : value;
}
