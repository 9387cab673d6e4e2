/** The models that requests can name: those of the setting `MODELS`, and all that the default provider has. */
import { createLazyModel } from "@agent-paas/agents/model/lazy-model.ts";
import type { OfferedModel, OfferedModels } from "@agent-paas/agents/model/model-choice.ts";
import { type NamedModel, OTHER_MODELS } from "@agent-paas/agents/model/models-config.ts";
import type { ModelLimits, OpenAiModelOptions } from "@agent-paas/agents/model/openai/provider.ts";
import { formOf, type WorkerSettings } from "../config.ts";
import type { Connections } from "./connections.ts";

/** What a server without keys gets, because the protocol's clients always send one. */
const NO_KEY = "none";

export function createOfferedModels(config: WorkerSettings, provider: Connections["provider"]): OfferedModels {
  const defaultName = config.LLM_MODEL;

  function offer(name: string, named: NamedModel | null): OfferedModel {
    const { owners, fallbacks = [] } = named ?? {};
    const open = provider(addressOf(config, name, named));
    const options = { ...optionsOf(config, named), ...(name === OTHER_MODELS ? {} : { name }) };
    const defaultModel = name === OTHER_MODELS ? defaultName : (named?.model ?? name);
    return {
      name,
      model: createLazyModel(async () => (await open()).model({ ...options, defaultModel })),
      mayUse: (owner) => owners?.includes(owner) ?? true,
      fallbacks,
    };
  }

  const listed = new Map(Object.entries(config.MODELS ?? {}).map(([name, named]) => [name, offer(name, named)]));
  const byDefault = listed.get(defaultName) ?? offer(defaultName, null);
  const others = listed.get(OTHER_MODELS) ?? offer(OTHER_MODELS, null);
  return {
    find(name = defaultName) {
      if (name === defaultName) return byDefault;
      return (name === OTHER_MODELS ? undefined : listed.get(name)) ?? { ...others, name };
    },
  };
}

function addressOf(config: WorkerSettings, name: string, named: NamedModel | null) {
  const { base_url: baseUrl, limits = {} } = named ?? {};
  const ofDefault = baseUrl === undefined ? config.OPENAI_API_KEY : NO_KEY;
  return {
    baseUrl: baseUrl ?? config.OPENAI_BASE_URL,
    apiKey: config.modelKeys[name] ?? ofDefault,
    limits: withoutAbsent<Partial<ModelLimits>>({
      connectMs: limits.connect_ms,
      firstTokenMs: limits.first_token_ms,
      idleMs: limits.idle_ms,
      totalMs: limits.total_ms,
    }),
  };
}

function optionsOf(config: WorkerSettings, named: NamedModel | null): Omit<OpenAiModelOptions, "defaultModel"> {
  const { options = {} } = named ?? {};
  const form = withoutAbsent<NonNullable<OpenAiModelOptions["form"]>>({
    maxTokensField: options.max_tokens_field,
    streamUsage: options.stream_usage,
    systemRole: options.system_role,
    returnReasoning: options.return_reasoning,
  });
  return {
    responseFormat: options.response_format ?? config.LLM_RESPONSE_FORMAT,
    form: { ...formOf(config), ...form },
    defaults: { temperature: options.temperature, topP: options.top_p, maxTokens: options.max_tokens },
    extraBody: options.body ?? {},
  };
}

/** Fields that are undefined would replace those that they are spread over. */
const withoutAbsent = <T extends object>(fields: { readonly [Name in keyof T]: T[Name] | undefined }): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
