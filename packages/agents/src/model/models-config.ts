/** The setting `MODELS`: models by names of the platform's own, each at a provider of its own. One JSON text. */
import { jsonFromEnv } from "@agent-paas/shared/config/read-config.ts";
import { DAY } from "@agent-paas/shared/time.ts";
import { z } from "zod";

export const ModelNameSchema = z.string().min(1).max(200);
export const MAX_FALLBACKS = 5;

/** Stands for every name that is not listed. */
export const OTHER_MODELS = "*";

const TimeSchema = z.int().min(10).max(DAY).optional();

/** What is absent has the value of the setting for the whole platform. */
const NamedModelSchema = z.strictObject({
  /** Of an OpenAI-compatible API. Default: `OPENAI_BASE_URL`. */
  base_url: z.url({ protocol: /^https?$/ }).optional(),
  /**
   * The variable with the provider's key. Default: `OPENAI_API_KEY`, but at another `base_url` none, because a key must
   * not reach a provider that it is not for.
   */
  api_key_env: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "expected the name of a variable")
    .optional(),
  /** The provider's name of the model. Default: the name in this list. */
  model: ModelNameSchema.optional(),
  /** The owners whose keys may use the model. Default: all. */
  owners: z.array(z.string().min(1)).optional(),
  /** Asked in turn when this one fails before its first token, unless the request has a list of its own. */
  fallbacks: z.array(ModelNameSchema).max(MAX_FALLBACKS).default([]),
  /** Time limits, ms. */
  limits: z
    .strictObject({ connect_ms: TimeSchema, first_token_ms: TimeSchema, idle_ms: TimeSchema, total_ms: TimeSchema })
    .default({}),
  options: z
    .strictObject({
      temperature: z.number().min(0).max(2).optional(),
      top_p: z.number().min(0).max(1).optional(),
      max_tokens: z.int().min(1).optional(),
      response_format: z.enum(["none", "json_object", "json_schema"]).optional(),
      max_tokens_field: z.enum(["max_tokens", "max_completion_tokens"]).optional(),
      stream_usage: z.boolean().optional(),
      system_role: z.enum(["system", "developer", "user"]).optional(),
      return_reasoning: z.enum(["off", "reasoning_content", "reasoning", "think"]).optional(),
      /** Further fields of each request, such as `reasoning_effort`. */
      body: z.record(z.string(), z.unknown()).optional(),
    })
    .default({}),
});

export type NamedModel = z.output<typeof NamedModelSchema>;

export const ModelsConfigSchema = jsonFromEnv
  .pipe(z.record(ModelNameSchema, NamedModelSchema))
  .superRefine((models, context) => {
    for (const [name, { fallbacks, model }] of Object.entries(models)) {
      if (name === OTHER_MODELS && model !== undefined) {
        context.addIssue({ code: "custom", path: [name, "model"], message: "stands for many models and has no name" });
      }
      for (const fallback of fallbacks) {
        if (Object.hasOwn(models, fallback) && fallback !== OTHER_MODELS) continue;
        context.addIssue({ code: "custom", path: [name, "fallbacks"], message: `"${fallback}" is not listed` });
      }
    }
  });

export type ModelsConfig = z.output<typeof ModelsConfigSchema>;

/** The keys by the names of the models that have a variable for theirs. */
export type ModelKeys = Readonly<Record<string, string>>;
