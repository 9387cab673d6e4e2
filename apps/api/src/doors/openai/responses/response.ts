/** The response object: what a client sees of a job, whole. */
import { type Citation, NO_USAGE, type TerminalStatus, type Usage } from "@agent-paas/shared/contract/jobs.ts";
import { idTime } from "@agent-paas/shared/ids.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { z } from "zod";
import { cutReasonOf, type Ending } from "../cut-short.ts";
import { messageId, responseId } from "./ids.ts";
import { type Echo, EchoSchema } from "./kept-request.ts";

const ITEM_STATUSES = ["in_progress", "completed", "incomplete"] as const;
export type ItemStatus = (typeof ITEM_STATUSES)[number];

export const AnnotationSchema = z
  .object({
    type: z.literal("file_citation"),
    file_id: z.string().describe("The id of the document."),
    filename: z.string(),
    index: z.int().describe("Where the text refers to it, characters."),
  })
  .meta({ id: "OpenAIFileCitation" });
export type Annotation = z.infer<typeof AnnotationSchema>;

export const OutputTextSchema = z.object({
  type: z.literal("output_text"),
  text: z.string(),
  annotations: z.array(AnnotationSchema),
  logprobs: z.array(z.never()),
});

export const SummaryTextSchema = z.object({ type: z.literal("summary_text"), text: z.string() });

export const OutputItemSchema = z
  .discriminatedUnion("type", [
    z.object({
      id: z.string(),
      type: z.literal("message"),
      status: z.enum(ITEM_STATUSES),
      role: z.literal("assistant"),
      content: z.array(OutputTextSchema),
    }),
    z.object({ id: z.string(), type: z.literal("reasoning"), summary: z.array(SummaryTextSchema) }),
    z.object({
      id: z.string(),
      type: z.literal("function_call"),
      status: z.enum(ITEM_STATUSES),
      call_id: z.string(),
      name: z.string(),
      arguments: z.string(),
    }),
  ])
  .meta({ id: "OpenAIOutputItem" });
export type OutputItem = z.infer<typeof OutputItemSchema>;

const RESPONSE_STATUSES = ["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"] as const;

const UsageSchema = z.object({
  input_tokens: z.int(),
  input_tokens_details: z.object({ cached_tokens: z.int() }),
  output_tokens: z.int(),
  output_tokens_details: z.object({ reasoning_tokens: z.int() }),
  total_tokens: z.int(),
});

/** What a response shows from its beginning to its end. */
const HeadSchema = EchoSchema.extend({
  id: z.string().describe("`resp_` and the id of the job."),
  object: z.literal("response"),
  created_at: z.int(),
  model: z.string(),
  metadata: z.record(z.string(), z.unknown()),
});
export type Head = z.infer<typeof HeadSchema>;

const StateSchema = z.object({
  status: z.enum(RESPONSE_STATUSES),
  output: z.array(OutputItemSchema),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  incomplete_details: z.object({ reason: z.string() }).nullable(),
  usage: UsageSchema.nullable(),
  completed_at: z.int().nullable(),
});
export type State = z.infer<typeof StateSchema>;

export const ResponseSchema = HeadSchema.extend(StateSchema.shape).meta({ id: "OpenAIResponse" });
export type ResponseObject = z.infer<typeof ResponseSchema>;

export const secondsOf = (ms: number): number => Math.floor(ms / SECOND);

export const headOf = (jobId: string, model: string, metadata: Head["metadata"], echo: Echo): Head => ({
  id: responseId(jobId),
  object: "response",
  created_at: secondsOf(idTime(jobId)),
  model,
  ...echo,
  metadata,
});

/** Of a job that has not ended. */
export const openState = (status: "queued" | "in_progress", output: OutputItem[] = []): State => ({
  status,
  output,
  error: null,
  incomplete_details: null,
  usage: null,
  completed_at: null,
});

const usageOf = ({ input_tokens, output_tokens, total_tokens }: Usage): z.infer<typeof UsageSchema> => ({
  input_tokens,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens,
});

/** `completed_at` is known only where the job's row is at hand. */
export function endState(
  ending: Ending & { readonly status: TerminalStatus; readonly usage: Usage | null },
  output: OutputItem[],
  completedAt: number | null,
): State {
  const reason = cutReasonOf(ending);
  const status = reason === null ? ending.status : "incomplete";
  return {
    status,
    output,
    error: status === "failed" ? ending.error : null,
    incomplete_details: reason === null ? null : { reason },
    usage: usageOf(ending.usage ?? NO_USAGE),
    completed_at: status === "completed" ? completedAt : null,
  };
}

export const messageItem = (
  jobId: string,
  status: ItemStatus,
  text: string | null,
  annotations: Annotation[] = [],
) => ({
  id: messageId(jobId),
  type: "message" as const,
  status,
  role: "assistant" as const,
  content: text === null ? [] : [outputText(text, annotations)],
});

export const outputText = (text: string, annotations: Annotation[] = []) => ({
  type: "output_text" as const,
  text,
  annotations,
  logprobs: [],
});

export const annotationsOf = (text: string, citations: readonly Citation[]): Annotation[] =>
  citations.map(({ marker, document_id: file_id, source: filename }) => {
    const at = text.indexOf(marker);
    return { type: "file_citation", file_id, filename, index: at === -1 ? text.length : at };
  });
