/** The events of AG-UI 1.0 that a run of an agent has, and their frames. */
import { frameJson } from "@agent-paas/shared/contract/events.ts";
import type { Usage } from "@agent-paas/shared/contract/jobs.ts";
import { z } from "zod";

export const PROTOCOL_VERSION = "1.0";

const message = { messageId: z.string() };
const call = { toolCallId: z.string() };
const delta = { delta: z.string() };

const UsageSchema = z.array(
  z.object({ model: z.string().optional(), inputTokens: z.int(), outputTokens: z.int(), totalTokens: z.int() }),
);

const InterruptSchema = z.object({
  id: z.string(),
  reason: z.enum(["tool_call", "input_required"]),
  message: z.string(),
  toolCallId: z.string().optional(),
  responseSchema: z.record(z.string(), z.unknown()).optional(),
  expiresAt: z.string(),
  metadata: z.record(z.string(), z.unknown()).optional(),
});
export type Interrupt = z.infer<typeof InterruptSchema>;

const OutcomeSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("success"), pendingToolCallIds: z.array(z.string()).optional() }),
  z.object({ type: z.literal("interrupt"), interrupts: z.array(InterruptSchema) }),
  z.object({ type: z.literal("cancelled") }),
]);

const EventSchema = z.discriminatedUnion("type", [
  z.object({
    ...{ type: z.literal("RUN_STARTED"), threadId: z.string(), runId: z.string() },
    protocolVersion: z.literal(PROTOCOL_VERSION),
  }),
  z.object({ type: z.literal("TEXT_MESSAGE_START"), ...message, role: z.literal("assistant") }),
  z.object({ type: z.literal("TEXT_MESSAGE_CONTENT"), ...message, ...delta }),
  z.object({ type: z.literal("TEXT_MESSAGE_END"), ...message }),
  z.object({ type: z.enum(["REASONING_START", "REASONING_END", "REASONING_MESSAGE_END"]), ...message }),
  z.object({ type: z.literal("REASONING_MESSAGE_START"), ...message, role: z.literal("reasoning") }),
  z.object({ type: z.literal("REASONING_MESSAGE_CONTENT"), ...message, ...delta }),
  z.object({
    type: z.literal("TOOL_CALL_START"),
    ...call,
    toolCallName: z.string(),
    parentMessageId: z.string().optional(),
  }),
  z.object({ type: z.literal("TOOL_CALL_ARGS"), ...call, ...delta }),
  z.object({ type: z.literal("TOOL_CALL_END"), ...call }),
  z.object({
    ...{ type: z.literal("TOOL_CALL_RESULT"), ...message, ...call, content: z.string(), role: z.literal("tool") },
    metadata: z.object({ status: z.string() }).optional(),
  }),
  z.object({ type: z.enum(["STEP_STARTED", "STEP_FINISHED"]), stepName: z.string() }),
  z.object({ type: z.literal("STATE_SNAPSHOT"), snapshot: z.unknown() }),
  z.object({ type: z.literal("CUSTOM"), name: z.string(), value: z.unknown() }),
  z.object({
    ...{ type: z.literal("RUN_FINISHED"), threadId: z.string(), runId: z.string() },
    outcome: OutcomeSchema,
    result: z.unknown().optional().describe("What the agent returned as data."),
    usage: UsageSchema.optional(),
  }),
  z.object({ type: z.literal("RUN_ERROR"), message: z.string(), code: z.string() }),
]);
export type AgUiEvent = z.infer<typeof EventSchema>;

export const AgUiEventSchema = z.object({ event: z.literal("message"), data: EventSchema }).meta({ id: "AgUiEvent" });

/** The id of the message that has a job's calls of the client's tools. */
export const callsIdOf = (jobId: string): string => `${jobId}-calls`;

/** The id of the message that has the result of a call. */
export const resultIdOf = (toolCallId: string): string => `${toolCallId}-result`;

export const frame = (event: AgUiEvent): string => `data: ${frameJson(event)}\n\n`;

/** Without encoding what all events of a message have in common again. */
export const createContent = (type: "TEXT_MESSAGE_CONTENT" | "REASONING_MESSAGE_CONTENT", messageId: string) => {
  const head = frameJson({ type, messageId }).slice(0, -1);
  return (content: string): string => `data: ${head},"delta":${frameJson(content)}}\n\n`;
};

/** By model, as far as the job knows. */
export function usageOf({ models, ...all }: Usage): z.infer<typeof UsageSchema> {
  const named = Object.entries(models ?? {}).map(([model, counts]) => ({ model, ...counts }));
  return (named.length > 0 ? named : [all]).map(({ input_tokens, output_tokens, total_tokens, ...label }) => ({
    ...label,
    inputTokens: input_tokens,
    outputTokens: output_tokens,
    totalTokens: total_tokens,
  }));
}
