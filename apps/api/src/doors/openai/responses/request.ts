/** The body of POST /v1/responses. What the protocol has and would change the answer is refused by its name. */
import { LimitsSchema } from "@agent-paas/shared/contract/limits.ts";
import { z } from "zod";
import { bodySchema, JsonObjectSchema } from "../../../validation/validate.ts";
import { unsupported } from "../unsupported.ts";
import { InputItemSchema } from "./items.ts";

const FunctionToolSchema = z.looseObject({
  type: z.literal("function", 'only tools of type "function" are supported'),
  name: z.string().min(1),
  description: z.string().nullish(),
  parameters: JsonObjectSchema.nullish(),
  strict: z.boolean().nullish(),
});

const ToolChoiceSchema = z.union([
  z.enum(["none", "auto", "required"]),
  z.looseObject({ type: z.literal("function", "is not supported"), name: z.string().min(1) }),
]);

const TextFormatSchema = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({ type: z.literal("json_object") }),
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

/** Fields that change no answer. */
const HARMLESS_FIELDS = {
  store: z.boolean().default(true).describe("`false`: the job is kept, but not for `previous_response_id`."),
  user: z.string().optional(),
  safety_identifier: z.string().optional(),
  service_tier: z.string().optional(),
  prompt_cache_key: z.string().optional(),
  prompt_cache_retention: z.string().optional(),
  prompt_cache_options: z.unknown().optional(),
  stream_options: z.unknown().optional(),
};

export const ResponseRequestSchema = bodySchema({
  model: z.string().min(1).describe("The id of an agent."),
  input: z.union([z.string(), z.array(InputItemSchema)]),
  instructions: z.string().optional().describe("A system message of this request alone."),
  previous_response_id: z.string().min(1).optional(),
  conversation: z.union([z.string().min(1), z.looseObject({ id: z.string().min(1) })]).optional(),
  stream: z.boolean().default(false),
  background: z.boolean().default(false),
  tools: z.array(FunctionToolSchema).default([]),
  tool_choice: ToolChoiceSchema.default("auto"),
  parallel_tool_calls: z.boolean().optional(),
  text: TextSchema.optional(),
  reasoning: ReasoningSchema.optional(),
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  max_output_tokens: z.int().min(1).optional(),
  max_tool_calls: z.int().min(0).max(1_000).optional(),
  metadata: JsonObjectSchema.default({}),
  config: JsonObjectSchema.default({}).describe("Not of OpenAI: further config of the agent, as its schema has it."),
  limits: bodySchema(LimitsSchema.shape).default({}).describe("Not of OpenAI: how much the job may use."),
  include: z.array(z.enum(HARMLESS_INCLUDES, "is not supported")).optional(),
  truncation: z.literal("disabled", 'only "disabled" is supported').optional(),
  top_logprobs: z.literal(0, "is not supported").optional(),
  prompt: unsupported(),
  context_management: unsupported(),
  moderation: unsupported(),
  image: unsupported(),
  access_programs: unsupported(),
  ...HARMLESS_FIELDS,
}).meta({ id: "OpenAIResponseRequest", examples: [{ model: "chat_basic", input: "Hello" }] });

export type ResponseRequest = z.output<typeof ResponseRequestSchema>;
