/**
 * Inquiries: what a job asks a person and waits for, without a worker (I11). An approval is asked for a tool call, an
 * input for a question of the agent. The wire names an inquiry by its `request_id`.
 */
import { z } from "zod";
import { HOUR, SECOND } from "../time.ts";

/** What is asked. Equal inquiries of one job are told apart by their ids. */
export const InquirySchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("approval"), tool: z.string(), arguments: z.unknown() }),
  z.object({
    type: z.literal("input"),
    question: z.string(),
    schema: z
      .record(z.string(), z.unknown())
      .readonly()
      .nullable()
      .describe("JSON Schema of the answer; null: every JSON value fits."),
  }),
]);
export type Inquiry = Readonly<z.infer<typeof InquirySchema>>;

/** The same in every attempt of the job. */
export type OpenInquiry = Inquiry & { readonly request_id: string };

export const VERDICTS = ["approve", "reject", "edit", "answer"] as const;

/** The longest `reason`, characters: the model reads it. */
export const MAX_REASON = 2_000;

/** What a person has decided. `edit` approves the call with other arguments. */
export const DecisionSchema = z.object({
  decision: z.enum(VERDICTS),
  arguments: z.record(z.string(), z.unknown()).optional(),
  answer: z.unknown().optional(),
  reason: z.string().max(MAX_REASON).optional(),
});
export type Decision = z.infer<typeof DecisionSchema> & {
  /** Nobody has decided in time, which counts as rejected. */
  readonly expired?: true;
};

export const EXPIRED: Decision = { decision: "reject", expired: true };

/** The longest answer that is checked against a schema, characters of JSON. */
export const MAX_ANSWER_CHARS = 16_000;

/** Checks answers. Throws for a schema that it cannot check; agents ask none with such a schema. */
export const answerValidator = (schema: Readonly<Record<string, unknown>>): z.ZodType =>
  z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);

/** How long inquiries may wait at most, s: less than Redis keeps what belongs to a job that has not ended. */
export const MAX_INQUIRY_TTL_SECONDS = (6 * 24 * HOUR) / SECOND;
