/** Fields that several routes take. */
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { z } from "zod";
import { checkParts, type PartLimits } from "../../validation/message-parts.ts";
import { validate } from "../../validation/validate.ts";

/** Longest message or task, characters: the payload of its job carries it through Redis. */
const MAX_TEXT = 65_536;

export const TextSchema = z
  .string()
  .max(MAX_TEXT)
  .refine((text) => text.trim() !== "", "must not be empty")
  // JSON can carry half a surrogate pair, the database cannot: it would return another text than the stream did.
  .transform((text) => text.toWellFormed());

/**
 * The body of a message, which is a text or a list of parts: the parts have a limit of their own, and the rest of the
 * body has that of all requests. Throws `payload_too_large`.
 */
export function limitBody(body: unknown, bytes: number, most: number): void {
  if (bytes <= most) return;
  const { message } = (body ?? {}) as { readonly message?: unknown };
  const ofParts = Array.isArray(message) ? Buffer.byteLength(JSON.stringify(message)) : 0;
  if (bytes - ofParts > most) throw new PlatformError("payload_too_large");
}

type Message = { readonly text: string; readonly parts?: readonly MessagePart[] };

export function readMessage(message: unknown, limits: PartLimits): Message {
  if (!Array.isArray(message)) return { text: validate(TextSchema, message, ["message"]) };
  const read = checkParts(message, limits);
  if (read.text.length <= MAX_TEXT) return read;
  throw new PlatformError("invalid_request", {
    message: `message: its texts have more than ${MAX_TEXT} characters`,
    param: "message",
  });
}

export const AgentIdSchema = z.string().min(1).max(64);

/** `create`: a session of that id begins with this request if there is none. */
export const IfNotExistsSchema = z.literal("create").optional();

export const OnBusySchema = z.enum(["queue", "reject", "interrupt"]).default("queue");
