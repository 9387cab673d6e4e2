/** The fields of a request that bring tools of the client, and results of their calls. */
import { textOfParts } from "@agent-paas/shared/contract/message-parts.ts";
import { z } from "zod";
import { schemaProblem } from "./json-schema-form.ts";
import { JsonObjectSchema } from "./validate.ts";

const MAX_TOOLS = 128;
const MAX_DESCRIPTION = 4_096;
/** As JSON, characters. */
const MAX_PARAMETERS = 50_000;
export const MAX_RESULTS = 128;
const MAX_CALL_ID = 256;
/** Of one result, characters: what the result of a tool of the platform may have. */
export const MAX_CONTENT = 150_000;

const NameSchema = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, "use letters, digits, '_' and '-', at most 64");

const ParametersSchema = JsonObjectSchema.refine(
  (schema) => JSON.stringify(schema).length <= MAX_PARAMETERS,
  `is longer than ${MAX_PARAMETERS} characters`,
)
  .superRefine((schema, context) => {
    const problem = schemaProblem(schema);
    if (problem !== null) context.addIssue({ code: "custom", path: [...problem.path], message: problem.message });
    else if (![schema.type ?? "object"].flat().includes("object")) {
      context.addIssue({ code: "custom", path: ["type"], message: "expected object" });
    }
  })
  .describe("JSON Schema of the arguments, an object. Default: no arguments.");

const isDistinct = (values: readonly string[]): boolean => new Set(values).size === values.length;

export const ToolsSchema = z
  .array(
    z.strictObject({
      name: NameSchema,
      description: z
        .string()
        .max(MAX_DESCRIPTION)
        .optional()
        .describe("For the model: what it does and when to use it."),
      parameters: ParametersSchema.optional(),
    }),
  )
  .max(MAX_TOOLS)
  .refine((tools) => isDistinct(tools.map(({ name }) => name)), "has two tools of one name")
  .optional()
  .describe("Tools that the client runs itself. A call to one ends the job with `finish_reason: tool_calls`.");

export const ToolChoiceSchema = z
  .union([z.enum(["auto", "none", "required"]), z.strictObject({ name: NameSchema })], {
    error: 'expected "auto", "none", "required" or {"name": …}',
  })
  .optional()
  .describe("Whether the model may, may not or must call a tool in its first turn, or which one. Default: `auto`.");

const TextPartsSchema = z.array(z.strictObject({ type: z.literal("text"), text: z.string() })).transform(textOfParts);

export const ToolResultsSchema = z
  .array(
    z.strictObject({
      call_id: z.string().min(1).max(MAX_CALL_ID),
      content: z
        .union([z.string(), TextPartsSchema], { error: "expected a string, or parts of type text" })
        // JSON can carry half a surrogate pair, the database cannot.
        .transform((content) => content.toWellFormed())
        .refine((content) => content.length <= MAX_CONTENT, `has more than ${MAX_CONTENT} characters`),
    }),
  )
  .min(1)
  .max(MAX_RESULTS)
  .refine((results) => isDistinct(results.map(({ call_id }) => call_id)), "has two results of one call")
  .optional()
  .describe("Results of the calls with which the session's latest job ended. A call without one counts as unanswered.");
