/**
 * Takes integers beyond 2^53 through the SDK's HTTP transports, which parse each message once more with `JSON.parse`.
 * What an answer holds then goes as one text, under a name that no server can know, and is parsed behind them.
 */
import { randomUUID } from "node:crypto";
import { mayChange, parseForeignJson } from "@agent-paas/shared/json/exact-json.ts";
import { isFields } from "@agent-paas/shared/json/fields.ts";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";

const PACKED = `packed-${randomUUID()}`;

/** The message as JSON for the SDK's transports. */
export function packMessage(message: JSONRPCMessage): string {
  const json = JSON.stringify(message);
  if (!mayChange(json)) return json;
  const pack = (value: unknown) => ({ [PACKED]: JSON.stringify(value) });
  if ("result" in message) return JSON.stringify({ ...message, result: pack(message.result) });
  if (!("error" in message) || message.error.data === undefined) return json;
  return JSON.stringify({ ...message, error: { ...message.error, data: pack(message.error.data) } });
}

/** The message as it was packed. */
export function unpackMessage(message: JSONRPCMessage): JSONRPCMessage {
  if ("result" in message) {
    const result = unpack(message.result);
    return isFields(result) ? { ...message, result } : message;
  }
  if (!("error" in message)) return message;
  return { ...message, error: { ...message.error, data: unpack(message.error.data) } };
}

function unpack(value: unknown): unknown {
  const packed = isFields(value) ? value[PACKED] : undefined;
  return typeof packed === "string" ? parseForeignJson(packed) : value;
}
