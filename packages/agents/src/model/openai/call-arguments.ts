/** The arguments of tool calls, as they go back to a provider. */

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

const REPLACEMENT = "\\ufffd";

/**
 * Replaces escapes of half characters in a JSON text, which servers in other languages cannot encode. Linear, and the
 * text itself is returned if it has none.
 */
export function wellFormedJson(json: string): string {
  if (!json.includes("\\ud") && !json.includes("\\uD")) return json;
  const pieces: string[] = [];
  let from = 0;
  for (let at = json.indexOf("\\"); at >= 0; at = json.indexOf("\\", at)) {
    const unit = unitAt(json, at);
    if (unit === null) {
      at += 2;
    } else if (isHigh(unit) && isLow(unitAt(json, at + 6))) {
      at += 12;
    } else {
      if (isHigh(unit) || isLow(unit)) {
        pieces.push(json.slice(from, at), REPLACEMENT);
        from = at + 6;
      }
      at += 6;
    }
  }
  return pieces.length === 0 ? json : pieces.join("") + json.slice(from);
}

/** The code unit of an escape `\uXXXX` at this place. */
function unitAt(json: string, at: number): number | null {
  if (json[at] !== "\\" || json[at + 1] !== "u") return null;
  const unit = Number(`0x${json.slice(at + 2, at + 6)}`);
  return Number.isInteger(unit) ? unit : null;
}

const isHigh = (unit: number | null): boolean => unit !== null && unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number | null): boolean => unit !== null && unit >= 0xdc00 && unit <= 0xdfff;
