/** What the Model Context Protocol fixes: its revisions, its error codes, and the keys that it reserves. */
import { z } from "zod";

/** The revision without a handshake: each request says of itself which revision it follows and what its client can. */
export const MODERN_VERSION = "2026-07-28";

/** Revisions that begin with `initialize`; the newest first. */
export const LEGACY_VERSIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] as const;

export const SUPPORTED_VERSIONS: readonly string[] = [MODERN_VERSION, ...LEGACY_VERSIONS];

/** Of a request without the header: the last revision that had none. */
export const HEADERLESS_VERSION = "2025-03-26";

/** The first revision whose clients take an event without data, with which a stream can be resumed from its start. */
export const PRIMED_SINCE = "2025-11-25";

/** Those of JSON-RPC 2.0, and those that the protocol adds. */
export const RPC_ERRORS = {
  parse_error: -32700,
  invalid_request: -32600,
  method_not_found: -32601,
  invalid_params: -32602,
  internal_error: -32603,
  header_mismatch: -32020,
  unsupported_protocol_version: -32022,
} as const;
export type RpcErrorName = keyof typeof RPC_ERRORS;

export const META = {
  protocolVersion: "io.modelcontextprotocol/protocolVersion",
  clientCapabilities: "io.modelcontextprotocol/clientCapabilities",
  serverInfo: "io.modelcontextprotocol/serverInfo",
} as const;

export const RequestIdSchema = z.union([z.string().max(255), z.int()]);
export type RequestId = z.infer<typeof RequestIdSchema>;

export const ProgressTokenSchema = RequestIdSchema;
export type ProgressToken = RequestId;

/**
 * A request, a notification (without `id`), or the response to a request of the server (without `method`). A response
 * is taken whatever it has: its request is over.
 */
export const MessageSchema = z.looseObject({
  jsonrpc: z.literal("2.0"),
  id: RequestIdSchema.optional(),
  method: z.string().max(255).optional(),
  params: z.looseObject({ _meta: z.looseObject({}).optional() }).optional(),
  result: z.unknown().optional(),
  error: z.unknown().optional(),
});

/** What each field of a message is, for those who sent something else. */
export const MESSAGE_FIELDS: Readonly<Record<string, string>> = {
  jsonrpc: '"2.0"',
  id: "a text or a whole number",
  method: "the name of a method",
  params: "an object, its _meta likewise",
};
