/** Fields that several routes take. */
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import { z } from "zod";
import { checkParts, MessagePartsSchema, type PartLimits } from "../../validation/message-parts.ts";
import { MAX_TEXT, TextSchema } from "../../validation/text.ts";
import { validate } from "../../validation/validate.ts";

/** What `readMessage` takes: it checks a text or parts alone, so that its errors name the field that is wrong. */
export const MessageSchema = z
  .union([TextSchema, MessagePartsSchema])
  .describe("A text, or its parts. May be absent beside `tool_results`.");

type Message = { readonly text: string; readonly parts?: readonly MessagePart[] };

/** @param param the request's field. */
export function readMessage(message: unknown, limits: PartLimits, param: "message" | "task"): Message {
  if (!Array.isArray(message)) return { text: validate(TextSchema, message, [param]) };
  const read = checkParts(message, limits, param);
  if (read.text.length <= MAX_TEXT) return read;
  const problem = `${param}: its texts have more than ${MAX_TEXT} characters`;
  throw new PlatformError("invalid_request", { message: problem, param });
}

export const AgentIdSchema = z
  .string()
  .min(1)
  .max(64)
  .describe("The id of an agent.")
  .meta({ examples: ["chat_basic"] });

export const IfNotExistsSchema = z
  .literal("create")
  .optional()
  .describe("`create`: a session of that id begins with this request if there is none.");

export const ReplaceFromSchema = IdSchema.optional().describe(
  "A message of the user, by its id in the history: this one takes its place, and it and all behind it leave the" +
    " session. Without `message` it is sent again as it was.",
);

export const OnBusySchema = z
  .enum(["queue", "reject", "interrupt"])
  .default("queue")
  .describe("When the session has a job already: wait for it, answer 409, or cancel it.");
