/** The body of POST /v1/chat/completions. What the protocol has and would change the answer is refused by its name. */
import { z } from "zod";
import { JOB_FIELDS } from "../../validation/job-fields.ts";
import { bodySchema, JsonObjectSchema } from "../../validation/validate.ts";
import { MessageSchema } from "./chat-messages.ts";
import { FunctionChoiceSchema, FunctionsSchema } from "./functions.ts";
import {
  COMMON_CONFIG_FIELDS,
  COMMON_FIELDS,
  COMMON_HARMLESS_FIELDS,
  MostTokensSchema,
  PLAIN_FORMATS,
} from "./request-fields.ts";
import { unsupported } from "./unsupported.ts";

const ResponseFormatSchema = z.discriminatedUnion("type", [
  ...PLAIN_FORMATS,
  z.looseObject({
    type: z.literal("json_schema"),
    json_schema: z.looseObject({ name: z.string(), schema: JsonObjectSchema.nullish() }),
  }),
]);

/** Fields that become the config of the agent, if its schema has them. */
export const CONFIG_FIELDS = {
  ...COMMON_CONFIG_FIELDS,
  max_tokens: MostTokensSchema,
  max_completion_tokens: MostTokensSchema,
  frequency_penalty: z.number().optional(),
  presence_penalty: z.number().optional(),
  stop: z.union([z.string(), z.array(z.string())]).optional(),
  seed: z.int().optional(),
  reasoning_effort: z.string().optional(),
  verbosity: z.string().optional(),
  response_format: ResponseFormatSchema.optional(),
};

export const ChatRequestSchema = bodySchema({
  ...COMMON_FIELDS,
  messages: z.array(MessageSchema).min(1, "must not be empty"),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).optional(),
  tools: FunctionsSchema,
  tool_choice: FunctionChoiceSchema,
  ...CONFIG_FIELDS,
  metadata: JOB_FIELDS.metadata.describe("Kept with the job. `session_id` names a session."),
  n: z.literal(1, "only 1 is supported").optional(),
  logprobs: z.literal(false, "is not supported").optional(),
  logit_bias: JsonObjectSchema.refine((bias) => Object.keys(bias).length === 0, "is not supported").optional(),
  modalities: z.array(z.literal("text", 'only "text" is supported')).optional(),
  audio: unsupported(),
  functions: unsupported(),
  function_call: unsupported(),
  web_search_options: unsupported(),
  store: z.unknown().optional(),
  prediction: z.unknown().optional(),
  ...COMMON_HARMLESS_FIELDS,
}).meta({ examples: [{ model: "chat_basic", messages: [{ role: "user", content: "Hello" }] }] });

export type ChatRequest = z.output<typeof ChatRequestSchema>;
