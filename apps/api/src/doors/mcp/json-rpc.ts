/** JSON-RPC 2.0 as the door speaks it: one message in a body, no batches. */

import { ERROR_CODES, type ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import type { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { VERSION } from "@agent-paas/shared/version.ts";
import { z } from "zod";
import type { FormatError } from "../../http/door.ts";
import { META, type RequestId, RequestIdSchema, RPC_ERRORS, type RpcErrorName } from "./protocol.ts";

/** Why a message is not served. `status` is that of HTTP. */
export class RpcError extends Error {
  readonly code: number;
  readonly status: number;
  readonly data: Readonly<Record<string, unknown>> | undefined;

  constructor(name: RpcErrorName, message: string, status: number, data?: Readonly<Record<string, unknown>>) {
    super(message);
    this.code = RPC_ERRORS[name];
    this.status = status;
    this.data = data;
  }
}

export const rpcResult = (id: RequestId, result: object) => ({ jsonrpc: "2.0", id, result });

export const SERVER_INFO = { name: "agent-paas", title: "Agent PaaS", version: VERSION } as const;

type Result = { readonly _meta?: object; readonly [field: string]: unknown };

/** A result as the revision without a handshake has it: it says what it is, and who sends it. */
export const modernResult = (result: Result, resultType = "complete") => ({
  resultType,
  ...result,
  _meta: { ...result._meta, [META.serverInfo]: SERVER_INFO },
});

export const rpcRequest = (id: RequestId, method: string, params: object) => ({ jsonrpc: "2.0", id, method, params });

export const rpcNotification = (method: string, params: object) => ({ jsonrpc: "2.0", method, params });

export const rpcError = (
  id: RequestId | null,
  { code, message, data }: Pick<RpcError, "code" | "message" | "data">,
) => ({
  ...{ jsonrpc: "2.0", id },
  error: { code, message, ...(data === undefined ? {} : { data }) },
});

/** Codes that JSON-RPC has a number for; any other has the status of HTTP, which is outside its range. */
const NUMBERS: Partial<Record<ErrorCode, RpcErrorName>> = {
  invalid_json: "parse_error",
  invalid_request: "invalid_request",
  internal_error: "internal_error",
};

/** An error of the platform as the error of a request. */
export function platformRpcError(id: RequestId | null, error: PlatformError, requestId: string) {
  const { code, type, param, status, message, details } = error;
  const name = NUMBERS[code];
  return rpcError(id, {
    code: name === undefined ? status : RPC_ERRORS[name],
    message,
    data: { code, type, param, request_id: requestId, ...details },
  });
}

export const formatError: FormatError = (error, requestId) => platformRpcError(null, error, requestId);

/** The answer to a message that is not served, the platform's codes in `data.code`. */
export const errorSchema = (codes: readonly ErrorCode[]) =>
  z.object({
    jsonrpc: z.literal("2.0"),
    id: RequestIdSchema.nullable().describe("Null if the message could not be read."),
    error: z.object({
      code: z.int().describe("Of JSON-RPC or of the protocol; else the status of HTTP."),
      message: z.string(),
      data: z
        .union([
          z.looseObject({
            code: z.enum(codes),
            type: z.enum([...new Set(codes.map((code) => ERROR_CODES[code].type))]),
            param: z.string().nullable(),
            request_id: z.string(),
          }),
          z.object({ supported: z.array(z.string()), requested: z.string() }),
        ])
        .optional(),
    }),
  });
