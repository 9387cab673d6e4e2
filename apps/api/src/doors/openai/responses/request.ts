/** The body of POST /v1/responses. What the protocol has and would change the answer is refused by its name. */
import { z } from "zod";
import { bodySchema, JsonObjectSchema } from "../../../validation/validate.ts";
import {
  ChoiceSchema,
  COMMON_CONFIG_FIELDS,
  COMMON_FIELDS,
  COMMON_HARMLESS_FIELDS,
  FUNCTION_FIELDS,
  FunctionTypeSchema,
  MostTokensSchema,
  PLAIN_FORMATS,
} from "../request-fields.ts";
import { unsupported } from "../unsupported.ts";
import { InputItemSchema } from "./items.ts";

const FunctionToolSchema = z.looseObject({
  type: FunctionTypeSchema,
  ...FUNCTION_FIELDS,
  strict: z.boolean().nullish(),
});

const ToolChoiceSchema = z.union([
  ChoiceSchema,
  z.looseObject({ type: z.literal("function", "is not supported"), name: z.string().min(1) }),
]);

const TextFormatSchema = z.discriminatedUnion("type", [
  ...PLAIN_FORMATS,
  z.looseObject({ type: z.literal("json_schema"), name: z.string(), schema: JsonObjectSchema }),
]);

const TextSchema = z.looseObject({ format: TextFormatSchema.nullish(), verbosity: z.string().nullish() });

const ReasoningSchema = z.looseObject({ effort: z.string().nullish(), summary: z.string().nullish() });

/** Of items that no response has, and what is included in any case. */
const HARMLESS_INCLUDES = [
  "file_search_call.results",
  "web_search_call.results",
  "web_search_call.action.sources",
  "code_interpreter_call.outputs",
  "computer_call_output.output.image_url",
  "message.input_image.image_url",
] as const;

export const ResponseRequestSchema = bodySchema({
  ...COMMON_FIELDS,
  input: z.union([z.string(), z.array(InputItemSchema)]),
  instructions: z.string().optional().describe("A system message of this request alone."),
  previous_response_id: z.string().min(1).optional(),
  conversation: z.union([z.string().min(1), z.looseObject({ id: z.string().min(1) })]).optional(),
  background: z.boolean().default(false),
  tools: z.array(FunctionToolSchema).default([]),
  tool_choice: ToolChoiceSchema.default("auto"),
  text: TextSchema.optional(),
  reasoning: ReasoningSchema.optional(),
  ...COMMON_CONFIG_FIELDS,
  max_output_tokens: MostTokensSchema,
  max_tool_calls: z.int().min(0).max(1_000).optional(),
  include: z.array(z.enum(HARMLESS_INCLUDES, "is not supported")).optional(),
  truncation: z.literal("disabled", 'only "disabled" is supported').optional(),
  prompt: unsupported(),
  context_management: unsupported(),
  image: unsupported(),
  access_programs: unsupported(),
  store: z.boolean().default(true).describe("`false`: the job is kept, but not for `previous_response_id`."),
  stream_options: z.unknown().optional(),
  ...COMMON_HARMLESS_FIELDS,
}).meta({ id: "OpenAIResponseRequest", examples: [{ model: "chat_basic", input: "Hello" }] });

export type ResponseRequest = z.output<typeof ResponseRequestSchema>;
