/** What requests for chat completions and for responses have in common. */
import { z } from "zod";
import { JOB_FIELDS } from "../../validation/job-fields.ts";
import { JsonObjectSchema } from "../../validation/validate.ts";
import { unsupported } from "./unsupported.ts";

export const COMMON_FIELDS = {
  model: z.string().min(1).describe("The id of an agent."),
  stream: z.boolean().default(false),
  ...JOB_FIELDS,
  config: JOB_FIELDS.config.describe("Not of OpenAI: further config of the agent, as its `config_schema` says."),
  limits: JOB_FIELDS.limits.describe("Not of OpenAI: how much the job may use."),
  top_logprobs: z.literal(0, "is not supported").optional(),
  moderation: unsupported(),
};

/** Fields that become the config of the agent, if its schema has them. */
export const COMMON_CONFIG_FIELDS = {
  temperature: z.number().optional(),
  top_p: z.number().optional(),
  parallel_tool_calls: z.boolean().optional(),
};

/** Fields that change no answer. */
export const COMMON_HARMLESS_FIELDS = {
  user: z.string().optional(),
  safety_identifier: z.string().optional(),
  service_tier: z.string().optional(),
  prompt_cache_key: z.string().optional(),
  prompt_cache_options: z.unknown().optional(),
  prompt_cache_retention: z.string().optional(),
};

export const MostTokensSchema = z.int().min(1).optional();

export const FunctionTypeSchema = z.literal("function", 'only tools of type "function" are supported');

export const FUNCTION_FIELDS = {
  name: z.string().min(1),
  description: z.string().nullish(),
  parameters: JsonObjectSchema.nullish(),
};

/** How tools are chosen, but for a named one. */
export const ChoiceSchema = z.enum(["none", "auto", "required"]);

/** Formats of an answer, but for the one that has a schema. */
export const PLAIN_FORMATS = [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({ type: z.literal("json_object") }),
] as const;
