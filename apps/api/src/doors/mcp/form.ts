/** The form that a client shows its user for an answer: flat, and of no more than the protocol's forms have. */
import type { Fields } from "@agent-paas/shared/json/fields.ts";
import { z } from "zod";

/** What a form cannot say is left out: the answer is held against the whole schema when it comes. */
const ifKnown = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);

const labels = { title: ifKnown(z.string()), description: ifKnown(z.string()) };
const choice = z.object({ type: z.literal("string"), enum: z.array(z.string()) });

const FieldSchema = z.union([
  choice.extend({ ...labels, enumNames: ifKnown(z.array(z.string())), default: ifKnown(z.string()) }),
  z.object({
    ...{ type: z.literal("string"), ...labels, minLength: ifKnown(z.number()), maxLength: ifKnown(z.number()) },
    ...{ format: ifKnown(z.enum(["email", "uri", "date", "date-time"])), default: ifKnown(z.string()) },
  }),
  z.object({
    ...{ type: z.enum(["number", "integer"]), ...labels, minimum: ifKnown(z.number()), maximum: ifKnown(z.number()) },
    default: ifKnown(z.number()),
  }),
  z.object({ type: z.literal("boolean"), ...labels, default: ifKnown(z.boolean()) }),
  z.object({
    ...{ type: z.literal("array"), ...labels, items: choice, minItems: ifKnown(z.number()) },
    ...{ maxItems: ifKnown(z.number()), default: ifKnown(z.array(z.string())) },
  }),
]);

const FormSchema = z.object({
  type: z.literal("object"),
  properties: z.record(z.string(), FieldSchema),
  required: ifKnown(z.array(z.string())),
});
type Form = z.infer<typeof FormSchema>;

export type AnswerForm = {
  readonly requestedSchema: Form;
  /** The answer that a form is filled in with. */
  readonly answerIn: (content: Fields) => unknown;
};

const inField = (field: z.infer<typeof FieldSchema>): AnswerForm => ({
  requestedSchema: { type: "object", properties: { answer: field }, required: ["answer"] },
  answerIn: ({ answer }) => answer,
});

/** `schema`: of the answer; null: every JSON value fits. Returns null where no form takes such an answer. */
export function formOf(schema: Fields | null): AnswerForm | null {
  if (schema === null) return inField({ type: "string" });
  const form = FormSchema.safeParse(schema);
  if (form.success) return { requestedSchema: form.data, answerIn: (content) => content };
  const field = FieldSchema.safeParse(schema);
  return field.success ? inField(field.data) : null;
}
