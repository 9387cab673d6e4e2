/** The config fields that the built-in agents share, and the model options that follow from them. */
import { z } from "zod";
import type { ModelOptions } from "../model/model.ts";
import { MAX_FALLBACKS, ModelNameSchema } from "../model/models-config.ts";

const StopSchema = z.string().min(1).max(256);

/** Fields for an agent's strict config object: how the model is asked. */
export const modelConfigFields = {
  system_prompt: z.string().max(32_000).optional().describe("What the model is told before the conversation."),
  model: ModelNameSchema.optional().describe("A name of MODELS, or the default provider's; default: LLM_MODEL."),
  fallback_models: z
    .array(ModelNameSchema)
    .max(MAX_FALLBACKS)
    .optional()
    .describe("Models asked in turn when the one before fails before its first token; default: those of MODELS."),
  temperature: z.number().min(0).max(2).optional().describe("Default: the provider's."),
  top_p: z.number().min(0).max(1).optional().describe("Default: the provider's."),
  max_tokens: z.int().min(1).max(32_768).optional().describe("Most tokens of one answer. Default: the provider's."),
  frequency_penalty: z.number().min(-2).max(2).optional().describe("Default: 0."),
  presence_penalty: z.number().min(-2).max(2).optional().describe("Default: 0."),
  stop: z
    .union([StopSchema, z.array(StopSchema).max(16)])
    .optional()
    .describe("Texts before which the answer ends. Default: none."),
  seed: z.int().optional().describe("For answers that repeat, as far as the provider can. Default: none."),
  reasoning_effort: z.string().min(1).max(32).optional().describe("Default: the provider's."),
  parallel_tool_calls: z.boolean().optional().describe("Whether a turn may call several tools. Default: true."),
  history_tokens: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(8_000)
    .describe("Most tokens of earlier messages that go to the model; the newest are kept."),
  response_schema: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("JSON Schema (draft 2020-12) of the answer, which is then checked JSON, also in the result's `data`."),
};

/** A field for the config of agents that call tools, or delegate to such: the platform reads it. */
export const approveConfigField = {
  approve: z
    .array(z.string().min(1).max(65))
    .max(64)
    .optional()
    .describe("Names of tools whose calls wait for a person's approval; `x*` stands for all that begin with `x`."),
};

const ModelConfigSchema = z.object(modelConfigFields);
type ModelConfig = z.output<typeof ModelConfigSchema>;

export const modelOptions = (config: ModelConfig): ModelOptions => ({
  model: config.model,
  fallbacks: config.fallback_models,
  temperature: config.temperature,
  topP: config.top_p,
  maxTokens: config.max_tokens,
  frequencyPenalty: config.frequency_penalty,
  presencePenalty: config.presence_penalty,
  stop: config.stop,
  seed: config.seed,
  reasoningEffort: config.reasoning_effort,
  parallelToolCalls: config.parallel_tool_calls,
});
