/** The arguments of tool calls, as they go back to a provider. */
import { wellFormedJson } from "@agent-paas/shared/text.ts";

/**
 * The text itself if it is a JSON object, byte for byte; else `{}`: Ollama and others refuse a request with anything
 * else. What the model wrote stays with the platform, and the call's result tells the model that it was no JSON.
 */
export function objectArguments(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return wellFormedJson(text.toWellFormed());
  } catch {
    // The model's text is no JSON.
  }
  return "{}";
}
