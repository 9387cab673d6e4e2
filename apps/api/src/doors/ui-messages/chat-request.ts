/** What `DefaultChatTransport` of the AI SDK sends, with the fields that its `body` may add. */
import { IdSchema } from "@agent-paas/shared/ids.ts";
import { z } from "zod";
import { ToolChoiceSchema, ToolsSchema } from "../../validation/client-tools.ts";
import { CHAT_FIELDS } from "../../validation/job-fields.ts";
import { bodySchema, validate } from "../../validation/validate.ts";

const ToolFieldsSchema = z.object({
  toolCallId: z.string(),
  providerExecuted: z.boolean().optional(),
  approval: z
    .looseObject({ id: z.string(), approved: z.boolean().optional(), reason: z.string().optional() })
    .optional(),
  state: z.string(),
  output: z.unknown().optional(),
  errorText: z.string().optional(),
});

/** Loose: what the client has been shown comes back with every request, and later versions show more. */
const PartSchema = z.looseObject({ type: z.string() });
export type UiPart = z.infer<typeof PartSchema>;

const MessageSchema = z.looseObject({
  id: z.string().min(1),
  role: z.enum(["system", "user", "assistant"]),
  parts: z.array(PartSchema),
});
export type UiMessage = z.infer<typeof MessageSchema>;

export type ToolPart = UiPart & z.infer<typeof ToolFieldsSchema>;

export const isToolPart = (part: UiPart): part is ToolPart =>
  (part.type === "dynamic-tool" || part.type.startsWith("tool-")) && ToolFieldsSchema.safeParse(part).success;

export const ChatIdSchema = z.string().min(1).max(255).describe("The client's own id of the chat; it names a session.");

export const ChatRequestSchema = bodySchema({
  id: ChatIdSchema,
  messages: z.array(MessageSchema).min(1, "must not be empty"),
  trigger: z.enum(["submit-message", "regenerate-message"]).default("submit-message"),
  messageId: z.string().optional(),
  tools: ToolsSchema,
  tool_choice: ToolChoiceSchema,
  ...CHAT_FIELDS,
}).meta({
  examples: [
    {
      id: "V1StGXR8",
      trigger: "submit-message",
      messages: [{ id: "m1", role: "user", parts: [{ type: "text", text: "Hello" }] }],
    },
  ],
});
export type ChatRequest = z.output<typeof ChatRequestSchema>;

/** Throws `invalid_request`. Messages before the last one of the assistant are the session's, and not looked at. */
export function readChatRequest(body: unknown): ChatRequest {
  const { messages } = (body ?? {}) as { readonly messages?: unknown };
  if (!Array.isArray(messages)) return validate(ChatRequestSchema, body);
  const last = messages.findLastIndex((message) => message?.role === "assistant");
  const from = isGreeting(messages, last) ? last + 1 : Math.max(last, 0);
  return validate(ChatRequestSchema, { ...(body as object), messages: messages.slice(from) });
}

/** Whether the application wrote the message of the assistant: no job did before the user has said anything. */
function isGreeting(messages: readonly Partial<UiMessage>[], at: number): boolean {
  const { id, metadata } = messages[at] ?? {};
  const names = [id, (metadata as { readonly jobId?: unknown } | null | undefined)?.jobId];
  const isFirst = at >= 0 && !messages.slice(0, at).some((message) => message?.role === "user");
  return isFirst && at < messages.length - 1 && !names.some((name) => IdSchema.safeParse(name).success);
}
