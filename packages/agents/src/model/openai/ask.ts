/**
 * Asks a provider for a completion, in the form that it wants: a request that is refused for its form is sent again in
 * another one, never twice in the same, and the form that was accepted is remembered for the model while the process
 * lives.
 */
import { APIError } from "openai";
import type { ModelOptions, ModelRequest } from "../model.ts";
import { adapt } from "./adaptations.ts";
import type { ProviderClient } from "./client.ts";
import type { ProviderFailure } from "./error-body.ts";
import { failureOf } from "./errors.ts";
import { formFor, type RequestForm } from "./quirks.ts";
import { toCompletionRequest } from "./request.ts";
import type { ToolNames } from "./tool-names.ts";

/** What the operator has set of the form; a setting is never adapted. Absent: the provider's refusals decide. */
export type FormSettings = Partial<
  Pick<RequestForm, "maxTokensField" | "streamUsage" | "systemRole" | "returnReasoning">
>;

export type OpenAiModelOptions = {
  readonly defaultModel: string;
  /** By which requests may name the default model, and turns name it. Default: its own name. */
  readonly name?: string;
  /** What a request leaves open. Default: nothing. */
  readonly defaults?: Pick<ModelOptions, "temperature" | "topP" | "maxTokens">;
  /** Further fields of each request's body, as the provider has them. Default: none. */
  readonly extraBody?: Readonly<Record<string, unknown>>;
  /** How a request's `responseSchema` is sent to the provider. */
  readonly responseFormat: RequestForm["responseFormat"];
  readonly form?: FormSettings;
};

export type Asked = {
  readonly response: Response;
  readonly names: ToolNames;
  /** In which it was accepted. */
  readonly form: RequestForm;
  /** Who answers. */
  readonly origin: string;
};

export type Asking = {
  /** Of the model that is asked, as the platform names it. */
  readonly name: string;
  /** Sends the request, again in another form as long as the provider refuses the form. */
  send(signal: AbortSignal): Promise<Asked>;
  /** Whether `send` would send the request in another form after this refusal, which an accepted answer held. */
  adapts(failure: ProviderFailure): boolean;
  /** The provider has begun to answer: the form is remembered. */
  accepted(): void;
};

export type Ask = (request: ModelRequest) => Asking;

/** Further attempts of one request; one that is refused takes little time, and the watchdog limits all together. */
const MAX_ADAPTATIONS = 6;
/** Clients may name any model, so the memory of their forms is bounded. */
const MAX_REMEMBERED = 1_000;

export function createAsk(
  client: ProviderClient,
  {
    defaultModel,
    name: nameOfDefault = defaultModel,
    defaults,
    extraBody,
    responseFormat,
    form: settings,
  }: OpenAiModelOptions,
): Ask {
  const remembered = new Map<string, RequestForm>();

  function remember(model: string, form: RequestForm): void {
    remembered.delete(model);
    const [oldest] = remembered.keys();
    if (remembered.size >= MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
    remembered.set(model, form);
  }

  return function ask(asked) {
    const { model: name = nameOfDefault } = asked;
    const model = name === nameOfDefault ? defaultModel : name;
    const request = defaults === undefined ? asked : withDefaults(asked, defaults);
    const origin = originOf(client.baseURL, model);
    let form = remembered.get(model) ?? { ...formFor(client.baseURL, model), responseFormat, ...settings };
    let lasting = form;
    const tried = new Set<string>();

    function adapts(failure: ProviderFailure): boolean {
      const adapted = tried.size <= MAX_ADAPTATIONS ? adapt(failure, form, request) : null;
      if (adapted === null || isSet(adapted.change, settings)) return false;
      form = { ...form, ...adapted.change };
      if (!adapted.isPassing) lasting = { ...lasting, ...adapted.change };
      return !tried.has(JSON.stringify(form));
    }

    return {
      name,
      adapts,
      accepted() {
        if (tried.size > 1) remember(model, lasting);
        tried.clear();
      },
      async send(signal) {
        for (;;) {
          const { body, names } = toCompletionRequest(request, model, form, origin);
          tried.add(JSON.stringify(form));
          try {
            const response = await client.chat.completions.create({ ...extraBody, ...body }, { signal }).asResponse();
            return { response, names, form, origin };
          } catch (error) {
            const isRefusal = error instanceof APIError && error.status !== undefined;
            if (!isRefusal || !adapts(failureOf(error))) throw error;
          }
        }
      },
    };
  };
}

const withDefaults = (request: ModelRequest, defaults: NonNullable<OpenAiModelOptions["defaults"]>): ModelRequest => ({
  ...request,
  temperature: request.temperature ?? defaults.temperature,
  topP: request.topP ?? defaults.topP,
  maxTokens: request.maxTokens ?? defaults.maxTokens,
});

/** Names a provider's model without what is secret of its address. */
const originOf = (baseUrl: string, model: string): string =>
  `${URL.canParse(baseUrl) ? new URL(baseUrl).hostname : ""} ${model}`;

const isSet = (change: Partial<RequestForm>, settings: FormSettings = {}): boolean =>
  Object.keys(change).some((name) => Object.hasOwn(settings, name));
