/** The chunks of a UI message stream of the AI SDK, version 1, and their frames. */
import { frameJson, THOUGHT_TYPES, type ThoughtType } from "@agent-paas/shared/contract/events.ts";
import { CitationSchema, TERMINAL_STATUSES } from "@agent-paas/shared/contract/jobs.ts";
import { z } from "zod";

/** The name of this platform in fields that the protocol leaves to providers. */
export const PROVIDER = "agent-paas";

const FINISH_REASONS = ["stop", "length", "content-filter", "tool-calls", "error", "other"] as const;
export type FinishReason = (typeof FINISH_REASONS)[number];

export const MetadataSchema = z.object({
  jobId: z.string().optional(),
  sessionId: z.string().nullable().optional(),
  status: z.enum(TERMINAL_STATUSES).optional(),
  usage: z.object({ inputTokens: z.number(), outputTokens: z.number(), totalTokens: z.number() }).optional(),
});

const part = { id: z.string() };
const call = { toolCallId: z.string() };
const calledTool = {
  ...{ ...call, toolName: z.string() },
  dynamic: z.literal(true).optional(),
  providerExecuted: z.literal(true).optional(),
};

/** Thoughts that are parts of the protocol themselves. */
const OTHERWISE_SHOWN = [
  ...["reasoning", "tool_call", "tool_result", "approval_required", "input_required"],
] as readonly ThoughtType[];

const dataTypes = THOUGHT_TYPES.filter((type) => !OTHERWISE_SHOWN.includes(type)).map(
  (type) => `data-${type}` as const,
);

const ChunkSchema = z.union([
  z.object({ type: z.literal("start"), messageId: z.string(), messageMetadata: MetadataSchema }),
  z.object({ type: z.enum(["start-step", "finish-step"]) }),
  z.object({ type: z.enum(["text-start", "text-end", "reasoning-start", "reasoning-end"]), ...part }),
  z.object({ type: z.enum(["text-delta", "reasoning-delta"]), ...part, delta: z.string() }),
  z.object({ type: z.literal("tool-input-start"), ...calledTool }),
  z.object({ type: z.literal("tool-input-delta"), ...call, inputTextDelta: z.string() }),
  z.object({ type: z.literal("tool-input-available"), ...calledTool, input: z.unknown() }),
  z.object({ type: z.literal("tool-approval-request"), ...call, approvalId: z.string() }),
  z.object({
    ...{ type: z.literal("tool-output-available"), ...call, output: z.unknown() },
    ...{ dynamic: z.literal(true), providerExecuted: z.literal(true) },
  }),
  z.object({
    ...{ type: z.literal("tool-output-error"), ...call, errorText: z.string() },
    ...{ dynamic: z.literal(true), providerExecuted: z.literal(true) },
  }),
  z.object({ type: z.literal("tool-output-denied"), ...call }),
  z.object({
    ...{ type: z.literal("source-document"), sourceId: z.string(), mediaType: z.string(), title: z.string() },
    providerMetadata: z.object({ [PROVIDER]: CitationSchema }),
  }),
  z.object({
    type: z.enum(dataTypes),
    id: z.string().optional().describe("A later part with the same type and id replaces this one."),
    data: z.looseObject({ content: z.string() }).describe("The fields of a thought."),
    transient: z.literal(true).optional(),
  }),
  z.object({
    type: z.literal("finish"),
    finishReason: z.enum(FINISH_REASONS),
    messageMetadata: MetadataSchema.optional(),
  }),
  z.object({ type: z.literal("abort"), reason: z.string() }),
  z.object({ type: z.literal("error"), errorText: z.string() }),
]);
export type Chunk = z.infer<typeof ChunkSchema>;

/** What every stream ends with. */
const DONE = "[DONE]";

export const UiEventSchema = z
  .object({ event: z.literal("message"), data: z.union([ChunkSchema, z.literal(DONE)]) })
  .meta({ id: "UiMessageEvent" });

export const frame = (chunk: Chunk): string => `data: ${frameJson(chunk)}\n\n`;

/** Without encoding what all chunks of a part have in common again. */
export const createDelta = (type: "text-delta" | "reasoning-delta", id: string) => {
  const head = frameJson({ type, id }).slice(0, -1);
  return (delta: string): string => `data: ${head},"delta":${frameJson(delta)}}\n\n`;
};

export const END = `data: ${DONE}\n\n`;

/** What ended otherwise than the protocol knows has ended. */
export function finishReasonOf(reason: string | null | undefined): FinishReason {
  if (reason === "refusal") return "content-filter";
  const hyphenated = reason?.replaceAll("_", "-") ?? "stop";
  return FINISH_REASONS.find((known) => known === hyphenated) ?? "other";
}
