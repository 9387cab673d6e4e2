/** A step describes one answer. Directives in a message and POST /control/script both result in steps. */
import { z } from "zod";

/** Faults answered with an HTTP error. The last two are a 429 and a 400 that no retry can heal. */
export const REFUSALS = [400, 401, 403, 404, 429, 500, 503, "quota", "context_length"] as const;
/** Faults that occur after the answer has begun and `after` tokens were sent. */
export const STREAM_FAULTS = ["silence", "keepalive", "cut", "malformed", "no_done", "error_chunk"] as const;

export type Refusal = (typeof REFUSALS)[number];
export type StreamFault = (typeof STREAM_FAULTS)[number];
/** `no_headers`: the request is accepted and never answered. */
export type Fault = Refusal | StreamFault | "no_headers";

const toolCallSchema = z.strictObject({
  name: z.string().min(1),
  /** JSON text, sent unchanged (it may be broken on purpose), or an object that is serialised. */
  arguments: z.union([z.string(), z.record(z.string(), z.unknown())]).default("{}"),
});

const scalars = {
  /** The literal answer. */
  text: z.string().optional(),
  /** Length of a generated answer, in tokens. `text` wins over it; without both the model echoes. */
  tokens: z.int().min(0).max(10_000_000).optional(),
  /** Vocabulary of the generated tokens; default: the language of the question. */
  lang: z.enum(["zh", "en"]).optional(),
  /** Puts the send time in front of each text token: `⟨1732268000000.123⟩`, milliseconds since 1970. */
  stamp: z.boolean().optional(),
  /** Tokens per second; 0 or absent: as fast as the client reads. */
  rate: z.number().min(0).max(1_000_000).optional(),
  /** Milliseconds before the first token or the refusal. Headers and the role chunk are sent at once. */
  ttft: z.number().min(0).max(3_600_000).optional(),
  fault: z.union([z.literal(REFUSALS), z.literal(STREAM_FAULTS), z.literal("no_headers")]).optional(),
  /** Tokens sent before a stream fault. Default: 0, but all tokens for `no_done`. */
  after: z.int().min(0).optional(),
  /** Seconds, sent as the `retry-after` header of a refusal. */
  retry_after: z.number().min(0).optional(),
};

export const stepSchema = z.strictObject({
  ...scalars,
  /** Sent after `text` or `tokens` in the same model turn, if the request offers tools and allows calls. */
  tool_calls: z.array(toolCallSchema).min(1).optional(),
});

export const scriptSchema = z.strictObject({
  /** Text that the last user message must contain; absent: every request takes a step. */
  match: z.string().min(1).optional(),
  steps: z.array(stepSchema).min(1).max(10_000),
});

export const directivesSchema = z.strictObject({
  ...scalars,
  /** Tool calls by model turn: first those of `calls[0]`, after their results those of `calls[1]`, and so on. */
  calls: z.array(z.array(toolCallSchema).min(1)).min(1).optional(),
  /** Number of requests with this last user message that get the fault; later requests do not. */
  times: z.int().min(1).optional(),
  /** The only model turn that gets the fault; 0 is the first request after the user message. */
  turn: z.int().min(0).optional(),
});

export type ToolCallInput = z.input<typeof toolCallSchema>;
export type ToolCall = z.output<typeof toolCallSchema>;
export type Step = z.output<typeof stepSchema>;
export type ScriptInput = z.input<typeof scriptSchema>;
export type Script = z.output<typeof scriptSchema>;
export type Directives = z.output<typeof directivesSchema>;
export type DirectivesInput = z.input<typeof directivesSchema>;
