/** The answer to a chat completion request, whole and as chunks, and how both say what became of the job. */
import type { ClientCall } from "@agent-paas/shared/contract/client-tools.ts";
import type { JobResult, Usage } from "@agent-paas/shared/contract/jobs.ts";
import { idTime } from "@agent-paas/shared/ids.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { z } from "zod";
import { cutReasonOf, type Ending } from "./cut-short.ts";
import { ErrorSchema } from "./error-format.ts";

const FINISH_REASONS = ["stop", "length", "tool_calls", "content_filter"] as const;
type FinishReason = (typeof FINISH_REASONS)[number];

/** Null: the job has no answer. What ended otherwise than their protocol knows has ended. */
export function finishReasonOf(ending: Ending): FinishReason | null {
  if (cutReasonOf(ending) === "max_output_tokens") return "length";
  if (ending.status !== "completed") return null;
  if (ending.finishReason === "refusal") return "content_filter";
  return FINISH_REASONS.find((known) => known === ending.finishReason) ?? "stop";
}

const UsageSchema = z.object({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() });

export const usageOf = ({ input_tokens, output_tokens, total_tokens }: Usage): z.infer<typeof UsageSchema> => ({
  prompt_tokens: input_tokens,
  completion_tokens: output_tokens,
  total_tokens,
});

const called = { id: z.string(), type: z.literal("function") };
const CalledFunctionSchema = z.object({ name: z.string(), arguments: z.string() });

export const callOf = ({ call_id: id, name, arguments: args }: ClientCall) => ({
  id,
  type: "function" as const,
  function: { name, arguments: args },
});

/** `created`: seconds since 1970. */
const head = { id: z.string().describe("The id of the job."), created: z.int(), model: z.string() };

export const headOf = (jobId: string, model: string) => ({
  id: jobId,
  created: Math.floor(idTime(jobId) / SECOND),
  model,
});

const HEAD = { id: "019a8d3e-5301-7b92-9c0d-4e5f6a7b8c9d", created: 1764403200, model: "chat_basic" };

export const ChatCompletionSchema = z
  .object({
    ...head,
    object: z.literal("chat.completion"),
    choices: z.array(
      z.object({
        index: z.literal(0),
        message: z.object({
          role: z.literal("assistant"),
          content: z.string().nullable(),
          refusal: z.null(),
          tool_calls: z.array(z.object({ ...called, function: CalledFunctionSchema })).optional(),
        }),
        logprobs: z.null(),
        finish_reason: z.enum(FINISH_REASONS),
      }),
    ),
    usage: UsageSchema.optional(),
  })
  .meta({
    id: "OpenAIChatCompletion",
    examples: [
      {
        ...HEAD,
        object: "chat.completion",
        choices: [
          {
            index: 0,
            message: { role: "assistant", content: "Hello!", refusal: null },
            logprobs: null,
            finish_reason: "stop",
          },
        ],
        usage: { prompt_tokens: 21, completion_tokens: 8, total_tokens: 29 },
      },
    ],
  });

export function completionOf(
  jobId: string,
  model: string,
  { content, tool_calls = [] }: JobResult,
  finish_reason: FinishReason,
  usage: Usage | null,
): z.infer<typeof ChatCompletionSchema> {
  const calls = tool_calls.length === 0 ? {} : { tool_calls: tool_calls.map(callOf) };
  const said = content === "" && tool_calls.length > 0 ? null : content;
  return {
    ...headOf(jobId, model),
    object: "chat.completion",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: said, refusal: null, ...calls },
        logprobs: null,
        finish_reason,
      },
    ],
    ...(usage === null ? {} : { usage: usageOf(usage) }),
  };
}

const DeltaSchema = z.object({
  role: z.literal("assistant").optional(),
  content: z.string().optional(),
  reasoning_content: z.string().optional().describe("A piece of the model's reasoning. Not of OpenAI."),
  tool_calls: z.array(z.object({ index: z.int(), ...called, function: CalledFunctionSchema })).optional(),
});
export type Delta = z.infer<typeof DeltaSchema>;

export const ChunkSchema = z
  .object({
    ...head,
    object: z.literal("chat.completion.chunk"),
    choices: z.array(
      z.object({ index: z.literal(0), delta: DeltaSchema, finish_reason: z.enum(FINISH_REASONS).nullable() }),
    ),
    usage: UsageSchema.nullable().optional(),
  })
  .meta({ id: "OpenAIChatCompletionChunk" });

/** The last frame of a stream that has not failed. */
export const DONE = "[DONE]";

export const ChatEventSchema = z.object({
  event: z.literal("message"),
  data: z.union([ChunkSchema, ErrorSchema, z.literal(DONE)]),
});
