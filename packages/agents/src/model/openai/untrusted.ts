/** Reading JSON of which nothing is known. */
import * as exact from "@agent-paas/shared/json/exact-json.ts";

/** Only here may an integer matter that no double holds: arguments may be JSON in the JSON. */
const ARGUMENTS = '"arguments"';

/** The JSON's value; undefined for what is none. Integers of a call's arguments stay as they came. */
export function parseJson(text: string): unknown {
  try {
    return text.includes(ARGUMENTS) ? exact.parseJson(text) : JSON.parse(text);
  } catch {
    return undefined;
  }
}
