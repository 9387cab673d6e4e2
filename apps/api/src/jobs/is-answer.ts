/** Tells what an agent returned as its answer from what it returned beside it. */
import { isDeepStrictEqual } from "node:util";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";

/** Whether the data are the answer itself, of which `content` is the text. */
export function isAnswer(data: unknown, content: string): boolean {
  try {
    return isDeepStrictEqual(parseJson(content), data);
  } catch {
    return false;
  }
}
