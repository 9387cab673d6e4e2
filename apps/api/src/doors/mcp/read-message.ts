/** Reads the message of a POST: which revision it follows, and whether header and body say the same. */
import { isFields } from "@agent-paas/shared/json/fields.ts";
import type { Request } from "express";
import { RpcError } from "./json-rpc.ts";
import {
  HEADERLESS_VERSION,
  LEGACY_VERSIONS,
  MESSAGE_FIELDS,
  META,
  MessageSchema,
  MODERN_VERSION,
  type RequestId,
  RequestIdSchema,
  SUPPORTED_VERSIONS,
} from "./protocol.ts";

type Params = Readonly<Record<string, unknown>>;

/** `notification` needs no answer; `response` answers a request of the server. */
export type ReadMessage =
  | { readonly kind: "request"; readonly id: RequestId; readonly method: string; readonly params: Params }
  | { readonly kind: "notification"; readonly method: string; readonly params: Params }
  | ({ readonly kind: "response"; readonly id: RequestId } & RpcResponse);

export type RpcRequest = Extract<ReadMessage, { readonly kind: "request" }>;

export type RpcResponse = { readonly result: Params | null; readonly error: { readonly message: string } | null };

/** The revision that a request follows, and what its client can as far as the request says it. */
export type Revision = {
  readonly version: string;
  readonly isModern: boolean;
  /** Of a modern request; a legacy one says nothing of it. */
  readonly capabilities: Params;
};

/** Throws `RpcError`. */
export function readMessage(body: unknown): ReadMessage {
  if (Array.isArray(body)) throw invalid("batches are not supported; send one message in a request");
  const parsed = MessageSchema.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = String(issue?.path[0] ?? "");
    throw invalid(
      field in MESSAGE_FIELDS ? `${field}: expected ${MESSAGE_FIELDS[field]}` : "expected a JSON-RPC object",
    );
  }
  const { id, method, params = {}, result, error } = parsed.data;
  if (method !== undefined && id !== undefined) return { kind: "request", id, method, params };
  if (method !== undefined) return { kind: "notification", method, params };
  if (id !== undefined)
    return { kind: "response", id, result: isFields(result) ? result : null, error: errorOf(error) };
  throw invalid("method: is required");
}

function errorOf(error: unknown): RpcResponse["error"] {
  if (error === undefined || error === null) return null;
  const said = isFields(error) ? error.message : undefined;
  return { message: typeof said === "string" ? said : "it does not say why" };
}

/** The id of a message that is not served, or null. */
export function idOf(body: unknown): RequestId | null {
  const { id } = (body ?? {}) as { readonly id?: unknown };
  return RequestIdSchema.safeParse(id).data ?? null;
}

/** Throws `RpcError`. */
export function readRevision(req: Request, message: ReadMessage): Revision {
  const header = req.get("mcp-protocol-version");
  const meta = message.kind === "response" ? undefined : (message.params._meta as Params | undefined);
  const inBody = meta?.[META.protocolVersion];
  const isModern = inBody !== undefined || (header === MODERN_VERSION && !isHandshake(message));
  if (!isModern || message.kind !== "request") {
    // `initialize` negotiates; whatever its header says was not agreed yet.
    if (header !== undefined && !isHandshake(message)) assertSupported(header);
    return { version: header ?? HEADERLESS_VERSION, isModern: header === MODERN_VERSION, capabilities: {} };
  }
  if (typeof inBody !== "string") throw missing(META.protocolVersion);
  if (header !== inBody) throw mismatch("MCP-Protocol-Version");
  assertSupported(inBody);
  if (LEGACY_VERSIONS.some((version) => version === inBody)) {
    return { version: inBody, isModern: false, capabilities: {} };
  }
  const capabilities = meta?.[META.clientCapabilities];
  if (typeof capabilities !== "object" || capabilities === null) throw missing(META.clientCapabilities);
  if (headerValue(req, "mcp-method") !== message.method) throw mismatch("Mcp-Method");
  if (message.method === "tools/call" && decoded(headerValue(req, "mcp-name")) !== message.params.name) {
    throw mismatch("Mcp-Name");
  }
  return { version: inBody, isModern: true, capabilities: capabilities as Params };
}

export const isHandshake = (message: ReadMessage): boolean =>
  message.kind === "request" && message.method === "initialize";

const headerValue = (req: Request, name: string): string | undefined => req.get(name)?.trim();

const [ENCODED, CLOSING] = ["=?base64?", "?="];

/** What does not fit into a header comes in base64. */
function decoded(value = ""): string {
  if (!value.startsWith(ENCODED) || !value.endsWith(CLOSING)) return value;
  return Buffer.from(value.slice(ENCODED.length, -CLOSING.length), "base64").toString();
}

function assertSupported(requested: string): void {
  if (SUPPORTED_VERSIONS.includes(requested)) return;
  const data = { supported: SUPPORTED_VERSIONS, requested: requested.slice(0, 100) };
  throw new RpcError("unsupported_protocol_version", "Unsupported protocol version", 400, data);
}

const invalid = (problem: string) => new RpcError("invalid_request", `Invalid message: ${problem}`, 400);
const missing = (key: string) => new RpcError("invalid_params", `params._meta: ${key} is required`, 400);
const mismatch = (header: string) =>
  new RpcError("header_mismatch", `Header mismatch: ${header} must say the same as the body`, 400);
