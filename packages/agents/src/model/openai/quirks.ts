/**
 * What is known of providers beyond the protocol, by host or model. Data: a new provider is a new row. What is not
 * known here is learnt from a provider's refusal (adaptations.ts), at the cost of one refused request per model.
 */
import { ANY_CALL_ID, type CallIdForm, NINE_CHARS } from "./call-ids.ts";

/**
 * How a turn's reasoning goes back with its tool calls: not at all; only what its provider has marked to be given back
 * (turn-extra.ts); besides that, as text in this field of the message; or in tags before its text.
 */
export type ReturnReasoning = "off" | "marked" | "reasoning_content" | "reasoning" | "think";

/** How a provider wants to be asked. */
export type RequestForm = {
  readonly maxTokensField: "max_tokens" | "max_completion_tokens";
  /** Whether `stream_options` asks for the usage. */
  readonly streamUsage: boolean;
  /** The role of the system prompt; `user`: it goes into the first user message. */
  readonly systemRole: "system" | "developer" | "user";
  readonly responseFormat: "none" | "json_object" | "json_schema";
  readonly returnReasoning: ReturnReasoning;
  /** Whether each assistant message gets the field of the reasoning, also without calls and without reasoning. */
  readonly reasoningOfAll: boolean;
  /** Whether a call goes back with what came with it. */
  readonly callExtra: boolean;
  readonly callIds: CallIdForm;
  /** Whose images and files go along: those of all messages, or of the user's latest alone. */
  readonly parts: "all" | "latest";
  /** The content of an assistant message that has calls and no text. */
  readonly emptyContent: null | "";
};

const DEFAULT_FORM: RequestForm = {
  maxTokensField: "max_tokens",
  streamUsage: true,
  systemRole: "system",
  responseFormat: "none",
  returnReasoning: "marked",
  reasoningOfAll: false,
  callExtra: true,
  callIds: ANY_CALL_ID,
  parts: "all",
  emptyContent: null,
};

type Quirk = {
  /** Hosts, with all their subdomains. */
  readonly hosts?: readonly string[];
  /** Parts of a model's name, in lower case, on whatever host. */
  readonly models?: readonly string[];
  readonly form: Partial<RequestForm>;
};

const REASONING_CONTENT = { returnReasoning: "reasoning_content" } as const;

const QUIRKS: readonly Quirk[] = [
  // OpenAI takes the newer field for all its models, and for the newer ones no other.
  { hosts: ["api.openai.com"], form: { maxTokensField: "max_completion_tokens" } },
  // These refuse a tool loop without its reasoning, or document that it has to go back: by their own names for their
  // models wherever these run, unless a host is known to want something else.
  { models: ["minimax-m"], form: { returnReasoning: "think" } },
  { models: ["deepseek-reasoner", "deepseek-chat", "deepseek-v", "kimi-k", "kimi-thinking"], form: REASONING_CONTENT },
  {
    hosts: ["deepseek.com", "moonshot.ai", "moonshot.cn", "kimi.com", "z.ai", "bigmodel.cn", "xiaomimimo.com"],
    form: REASONING_CONTENT,
  },
  { hosts: ["openrouter.ai"], form: { returnReasoning: "reasoning" } },
  { hosts: ["minimax.io", "minimaxi.com", "minimax.chat"], form: { returnReasoning: "think" } },
  {
    hosts: ["mistral.ai"],
    form: { callIds: NINE_CHARS },
  },
  {
    models: ["mistral", "mixtral", "ministral", "magistral", "devstral", "codestral", "pixtral", "voxtral"],
    form: { callIds: NINE_CHARS },
  },
];

/** What is known before the first request to a model. */
export function formFor(baseUrl: string, model: string): RequestForm {
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname.toLowerCase() : "";
  const name = model.toLowerCase();
  const known = QUIRKS.filter(
    ({ hosts = [], models = [] }) =>
      hosts.some((each) => host === each || host.endsWith(`.${each}`)) || models.some((part) => name.includes(part)),
  );
  return Object.assign({ ...DEFAULT_FORM }, ...known.map(({ form }) => form));
}
