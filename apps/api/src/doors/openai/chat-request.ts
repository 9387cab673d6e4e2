/** The body of POST /v1/chat/completions. What the protocol has and would change the answer is refused by its name. */
import { LimitsSchema } from "@agent-paas/shared/contract/limits.ts";
import { z } from "zod";
import { bodySchema, JsonObjectSchema } from "../../validation/validate.ts";
import { MessageSchema } from "./chat-messages.ts";
import { FunctionChoiceSchema, FunctionsSchema } from "./functions.ts";
import { unsupported } from "./unsupported.ts";

const ResponseFormatSchema = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({ type: z.literal("json_object") }),
  z.looseObject({
    type: z.literal("json_schema"),
    json_schema: z.looseObject({ name: z.string(), schema: JsonObjectSchema.nullish() }),
  }),
]);

/** Fields that become the config of the agent, if its schema has them. */
export const CONFIG_FIELDS = {
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  max_tokens: z.int().min(1).optional(),
  max_completion_tokens: z.int().min(1).optional(),
  frequency_penalty: z.number().optional(),
  presence_penalty: z.number().optional(),
  stop: z.union([z.string(), z.array(z.string())]).optional(),
  seed: z.int().optional(),
  reasoning_effort: z.string().optional(),
  verbosity: z.string().optional(),
  parallel_tool_calls: z.boolean().optional(),
  response_format: ResponseFormatSchema.optional(),
};

/** Fields that change no answer. */
const HARMLESS_FIELDS = {
  store: z.unknown().optional(),
  safety_identifier: z.unknown().optional(),
  service_tier: z.unknown().optional(),
  prediction: z.unknown().optional(),
  prompt_cache_key: z.unknown().optional(),
  prompt_cache_options: z.unknown().optional(),
  prompt_cache_retention: z.unknown().optional(),
};

export const ChatRequestSchema = bodySchema({
  model: z.string().min(1).describe("The id of an agent."),
  messages: z.array(MessageSchema).min(1, "must not be empty"),
  stream: z.boolean().default(false),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).optional(),
  tools: FunctionsSchema,
  tool_choice: FunctionChoiceSchema,
  ...CONFIG_FIELDS,
  config: JsonObjectSchema.default({}).describe("Not of OpenAI: further config of the agent, as its schema has it."),
  limits: bodySchema(LimitsSchema.shape).default({}).describe("Not of OpenAI: how much the job may use."),
  metadata: JsonObjectSchema.default({}).describe("Kept with the job. `session_id` names a session."),
  user: z.string().optional(),
  n: z.literal(1, "only 1 is supported").optional(),
  logprobs: z.literal(false, "is not supported").optional(),
  top_logprobs: z.literal(0, "is not supported").optional(),
  logit_bias: JsonObjectSchema.refine((bias) => Object.keys(bias).length === 0, "is not supported").optional(),
  modalities: z.array(z.literal("text", 'only "text" is supported')).optional(),
  audio: unsupported(),
  functions: unsupported(),
  function_call: unsupported(),
  moderation: unsupported(),
  web_search_options: unsupported(),
  ...HARMLESS_FIELDS,
}).meta({ examples: [{ model: "chat_basic", messages: [{ role: "user", content: "Hello" }] }] });

export type ChatRequest = z.output<typeof ChatRequestSchema>;
