/** Reading JSON of which nothing is known. */
import * as exact from "@agent-paas/shared/json/exact-json.ts";

/** Only here may an integer matter that no double holds: arguments may be JSON in the JSON. */
const ARGUMENTS = '"arguments"';

export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The JSON's value; undefined for what is none. Integers of a call's arguments stay as they came. */
export function parseJson(text: string): unknown {
  try {
    return text.includes(ARGUMENTS) ? exact.parseJson(text) : JSON.parse(text);
  } catch {
    return undefined;
  }
}
