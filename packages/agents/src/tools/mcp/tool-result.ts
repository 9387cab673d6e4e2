/**
 * Turns a server's result into text for the model. Content that is no text is replaced by its kind and size, and what
 * the result also has in structured form follows it, unless the text says the same.
 */

import { isDeepStrictEqual } from "node:util";
import { parseForeignJson } from "@agent-paas/shared/json/exact-json.ts";
import { type Fields, isFields } from "@agent-paas/shared/json/fields.ts";
import { cutText } from "@agent-paas/shared/text.ts";
import { ToolError } from "../tool.ts";
import type { ToolCheck } from "./argument-check.ts";
import { asJson } from "./as-json.ts";

/** How much of content of an unknown kind is shown. */
const MAX_UNKNOWN_CHARS = 1_000;

/**
 * Throws a `ToolError` with all that the server says when the result is marked as an error.
 *
 * @param check that of the tool's schema for structured results. The protocol asks clients to check; what does not fit
 *   may still be of use to the model, so it is given with the problem.
 */
export async function readResult(result: unknown, check: ToolCheck | null = null): Promise<unknown> {
  const { content, structuredContent, isError, toolResult, ...others }: Fields = isFields(result) ? result : {};
  const parts = [content ?? []].flat().filter((part) => part !== null);
  // Before 2024-11-05 the result was one value.
  const structured =
    structuredContent ?? toolResult ?? (content === undefined && hasFields(others) ? others : undefined);
  const hasFailed = isError === true || isError === "true";
  const lines = parts.map(describe);
  const problem = hasFailed || check === null ? null : await problemOf(structuredContent, check);
  if (problem === null && !hasFailed && structured !== undefined && lines.length === 0) return structured;
  if (structured !== undefined && !saysTheSame(parts.map(textOf), structured)) {
    lines.push(lines.length === 0 ? textFor(structured) : `[the structured result] ${textFor(structured)}`);
  }
  if (problem !== null) lines.push(`[the structured result does not fit the tool's own schema: ${problem}]`);
  const text = lines.join("\n");
  if (hasFailed) throw new ToolError(text || "The tool failed and did not say why.");
  return text === "" ? undefined : text;
}

const hasFields = (fields: Fields): boolean => Object.keys(fields).length > 0;

async function problemOf(structured: unknown, check: ToolCheck): Promise<string | null> {
  if (structured === undefined || structured === null) return "there is none";
  try {
    return await check(structured);
  } catch {
    // The platform cannot check at present, and the call has been made.
    return null;
  }
}

/** The server may also give the value, or each element of a list, in a text, and wrap it as `{"result": …}`. */
function saysTheSame(texts: readonly (string | null)[], structured: unknown): boolean {
  const whole = isFields(structured) && Object.keys(structured).length === 1 ? structured.result : undefined;
  const values = [structured, whole].filter((value) => value !== undefined);
  const said = texts.filter((text) => text !== null).map(saidBy);
  return values.some(
    (value) =>
      said.some((each) => isDeepStrictEqual(each.json, value) || each.text === value) ||
      (Array.isArray(value) &&
        value.length === said.length &&
        value.every((element, at) => isDeepStrictEqual(said[at]?.json, element) || said[at]?.text === element)),
  );
}

function saidBy(text: string): { readonly text: string; readonly json: unknown } {
  try {
    return { text, json: parseForeignJson(text) };
  } catch {
    return { text, json: undefined };
  }
}

const textFor = (value: unknown): string => asJson(value) ?? "[a value that is nested too deeply]";

/** The text of a part that is one; null for other kinds. */
function textOf(part: unknown): string | null {
  if (typeof part === "string") return part;
  return isFields(part) && typeof part.text === "string" && (part.type ?? "text") === "text" ? part.text : null;
}

function describe(part: unknown): string {
  const text = textOf(part);
  if (text !== null) return text;
  if (!isFields(part)) return textFor(part);
  switch (part.type) {
    case "image":
    case "audio":
      return `[${part.type} ${wordOr(part.mimeType, "of unknown type")}, ${sizeOf(part.data)}]`;
    case "resource_link": {
      const uri = wordOr(part.uri, "an unknown address");
      const about = [part.mimeType, bytesText(part.size)].filter((word) => typeof word === "string" && word !== "");
      const description = wordOr(part.description, "");
      const name = wordOr(part.name, wordOr(part.title, "link"));
      const details = about.length === 0 ? "" : ` (${about.join(", ")})`;
      return `[resource ${name} at ${uri}${details}${description === "" ? "" : `: ${description}`}]`;
    }
    case "resource":
      return describeResource(isFields(part.resource) ? part.resource : part);
    default:
      return describeUnknown(part);
  }
}

function describeResource({ uri, mimeType, text, blob }: Fields): string {
  const about = `resource ${wordOr(uri, "without an address")} ${wordOr(mimeType, "of unknown type")}`;
  if (typeof text === "string") return `[${about}]\n${text}`;
  return typeof blob === "string" ? `[${about}, ${sizeOf(blob)}]` : `[${about}, without content]`;
}

function describeUnknown(part: Fields): string {
  const json = textFor(part);
  const shown = json.length <= MAX_UNKNOWN_CHARS ? json : `${cutText(json, MAX_UNKNOWN_CHARS)} (cut)`;
  return `[content of an unknown kind: ${shown}]`;
}

const wordOr = (value: unknown, otherwise: string): string =>
  typeof value === "string" && value !== "" ? value : otherwise;

const sizeOf = (base64: unknown): string =>
  typeof base64 === "string" ? bytesText(Buffer.byteLength(base64, "base64")) : "without data";

function bytesText(bytes: unknown): string {
  if (typeof bytes !== "number" || !(bytes >= 0)) return "";
  return bytes < 1_000 ? `${bytes} bytes` : `${Math.round(bytes / 1_000)} kB`;
}
