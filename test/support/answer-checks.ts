/**
 * Holds what the API answers against its OpenAPI document: status, media type, headers, error code and body. It shares
 * no code with the product and closes every object that the document does not open, so an undescribed field is found.
 */
import { readFile } from "node:fs/promises";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { createParser } from "eventsource-parser";

type Json = Readonly<Record<string, unknown>>;
type Response = { readonly headers?: Json; readonly content?: Readonly<Record<string, unknown>> };
type Operation = { readonly responses: Readonly<Record<string, Response>> };
type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly headers: Json };
};

export type SeenAnswer = { readonly status: number; readonly headers: Headers; readonly body: unknown };

export type AnswerChecks = {
  /** Throws for an answer that the document does not describe. `path` may have a query. */
  readonly answer: (method: string, path: string, answer: SeenAnswer) => void;
  /** Throws for an event that the document does not describe. */
  readonly event: (method: string, path: string, event: unknown) => void;
};

let checks: Promise<AnswerChecks> | undefined;

/** The document is read, and each of its schemas compiled, once and when it is needed. */
export function answerChecks(): Promise<AnswerChecks> {
  checks ??= import("vitest").then(({ inject }) => readFile(inject("openApiFile"), "utf8")).then(createAnswerChecks);
  return checks;
}

const EVENT_STREAM = "text/event-stream";

/** Codes of requests that reach no operation. */
const OF_NO_OPERATION = ["route_not_found", "method_not_allowed", "invalid_http", "invalid_request"];
/** Answered by Express itself, or without a body. */
const UNDESCRIBED_METHODS = ["HEAD", "OPTIONS"];

export function createAnswerChecks(text: string): AnswerChecks {
  const document: Document = JSON.parse(text, closed);
  const ajv = new Ajv2020({ strict: false, validateSchema: false });
  // Its types name the module, and Node its default export.
  (formats as unknown as (ajv: Ajv2020) => void)(ajv);
  ajv.addSchema(document, "api");
  const templates = Object.keys(document.paths).map((path) => ({ path, parts: path.split("/") }));

  function pathOf(requested: string): string | undefined {
    const asked = requested.replace(/[?#].*$/, "").split("/");
    const fitting = templates.filter(
      ({ parts }) => parts.length === asked.length && parts.every((part, at) => isParam(part) || part === asked[at]),
    );
    const params = (parts: readonly string[]) => parts.filter(isParam).length;
    return fitting.sort((a, b) => params(a.parts) - params(b.parts))[0]?.path;
  }

  function validate(pointer: readonly string[], value: unknown, what: string): void {
    const check = ajv.getSchema(`api#/${pointer.map(escapePointer).join("/")}`);
    if (check === undefined) throw new Error(`${what}: the OpenAPI document has no schema at ${pointer.join(" ")}`);
    if (check(value)) return;
    throw new Error(`${what}: not as the OpenAPI document says: ${ajv.errorsText(check.errors)}\n${show(value)}`);
  }

  function check(method: string, requested: string, status: number, headers: Headers | null, body: unknown): void {
    const what = `${method} ${requested} → ${status}`;
    const path = pathOf(requested) ?? "";
    const verb = method.toLowerCase();
    const operation = document.paths[path]?.[verb];
    if (operation === undefined) {
      const { code } = (body as { error?: { code?: string } }).error ?? {};
      if (!OF_NO_OPERATION.includes(code ?? "")) throw new Error(`${what}: no operation, and ${show(body)}`);
      return;
    }
    const response = operation.responses[status];
    if (response === undefined) throw new Error(`${what}: the OpenAPI document has no such status\n${show(body)}`);
    const names = Object.keys(document.components.headers).filter((name) => status < 400 && headers?.has(name));
    const unknown = names.filter((name) => response.headers?.[name] === undefined);
    if (unknown.length > 0) throw new Error(`${what}: the OpenAPI document has no ${unknown.join(", ")}`);
    const mediaType = headers === null ? EVENT_STREAM : headers.get("content-type")?.split(";")[0];
    if (mediaType === undefined && response.content === undefined) return;
    if (mediaType === undefined || response.content?.[mediaType] === undefined) {
      throw new Error(`${what}: the OpenAPI document has no ${mediaType}`);
    }
    const pointer = ["paths", path, verb, "responses", String(status), "content", mediaType, "schema"];
    // Of a stream that was read as a text, the schema is that of each event.
    const parts = mediaType === EVENT_STREAM && typeof body === "string" ? readEvents(body) : [body];
    for (const part of parts) validate(pointer, part, what);
  }

  return {
    answer(method, path, { status, headers, body }) {
      if (!UNDESCRIBED_METHODS.includes(method)) check(method, path, status, headers, body);
    },
    event: (method, path, event) => check(method, path, 200, null, event),
  };
}

function readEvents(text: string): unknown[] {
  const events: unknown[] = [];
  const parser = createParser({
    onEvent: ({ id, event = "message", data }) =>
      events.push({
        ...(id === undefined ? {} : { id: Number(id) }),
        event,
        // The one frame of OpenAI's protocol that is no JSON.
        data: data === "[DONE]" ? data : JSON.parse(data),
      }),
  });
  parser.feed(text);
  return events;
}

/** For `JSON.parse`. */
function closed(_key: string, value: unknown): unknown {
  const isOpen =
    typeof value !== "object" || value === null || !("properties" in value) || "additionalProperties" in value;
  return isOpen ? value : { ...value, additionalProperties: false };
}

const isParam = (part: string): boolean => part.startsWith("{");
const escapePointer = (part: string): string => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"));
const show = (value: unknown): string => JSON.stringify(value)?.slice(0, 2_000) ?? "nothing";
