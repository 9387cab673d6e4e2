/**
 * Asks a provider for a completion, in the form that it wants: a request that is refused for its form is sent again in
 * another one, never twice in the same, and the form that was accepted is remembered for the model while the process
 * lives.
 */
import { APIError } from "openai";
import type { ModelRequest } from "../model.ts";
import { adapt } from "./adaptations.ts";
import type { ProviderClient } from "./client.ts";
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
  /** How a request's `responseSchema` is sent to the provider. */
  readonly responseFormat: RequestForm["responseFormat"];
  readonly form?: FormSettings;
};

export type Asked = { readonly response: Response; readonly names: ToolNames };

/** Further attempts of one request; one that is refused takes little time, and the watchdog limits all together. */
const MAX_ADAPTATIONS = 6;
/** Clients may name any model, so the memory of their forms is bounded. */
const MAX_REMEMBERED = 1_000;

export function createAsk(
  client: ProviderClient,
  { defaultModel, responseFormat, form: settings }: OpenAiModelOptions,
) {
  const remembered = new Map<string, RequestForm>();

  function remember(model: string, form: RequestForm): void {
    remembered.delete(model);
    const [oldest] = remembered.keys();
    if (remembered.size >= MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
    remembered.set(model, form);
  }

  return async function ask(request: ModelRequest, signal: AbortSignal): Promise<Asked> {
    const model = request.model ?? defaultModel;
    let form = remembered.get(model) ?? { ...formFor(client.baseURL, model), responseFormat, ...settings };
    let lasting = form;
    const tried = new Set<string>();
    for (;;) {
      const { body, names } = toCompletionRequest(request, model, form);
      tried.add(JSON.stringify(form));
      try {
        const response = await client.chat.completions.create(body, { signal }).asResponse();
        if (tried.size > 1) remember(model, lasting);
        return { response, names };
      } catch (error) {
        const isRefusal = error instanceof APIError && error.status !== undefined;
        const adapted = isRefusal && tried.size <= MAX_ADAPTATIONS ? adapt(failureOf(error), form, request) : null;
        if (adapted === null || isSet(adapted.change, settings)) throw error;
        form = { ...form, ...adapted.change };
        if (!adapted.isPassing) lasting = { ...lasting, ...adapted.change };
        if (tried.has(JSON.stringify(form))) throw error;
      }
    }
  };
}

const isSet = (change: Partial<RequestForm>, settings: FormSettings = {}): boolean =>
  Object.keys(change).some((name) => Object.hasOwn(settings, name));
