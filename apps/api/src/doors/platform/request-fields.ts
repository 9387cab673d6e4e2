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

type Message = { readonly text: string; readonly parts?: readonly MessagePart[] };

/**
 * A message, which is a text or a list of parts. The parts have a limit of their own, and the rest of the body has that
 * of all requests.
 */
export function readMessage(message: unknown, bodyBytes: number, limits: PartLimits & { MAX_BODY_BYTES: number }) {
  const isList = Array.isArray(message);
  const { bytes = 0, ...read }: Message & { bytes?: number } = isList
    ? checkParts(message, limits)
    : { text: validate(TextSchema, message, ["message"]) };
  if (bodyBytes - bytes > limits.MAX_BODY_BYTES) throw new PlatformError("payload_too_large");
  if (isList && read.text.length > MAX_TEXT) {
    throw new PlatformError("invalid_request", {
      message: `message: its texts have more than ${MAX_TEXT} characters`,
      param: "message",
    });
  }
  return read;
}

export const AgentIdSchema = z.string().min(1).max(64);

export const OnBusySchema = z.enum(["queue", "reject", "interrupt"]).default("queue");
