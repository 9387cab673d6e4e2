/** What models say in the streams of the OpenAI Agents SDK. */

/** An event of the SDK's stream, or of a model, of which the fields matter that its type has. */
export type Fields = Readonly<Record<string, unknown>>;

/** Raw chunks of the chat completions API, and raw events of the responses API. */
export const rawEvent = ({ type, event }: Fields): Fields => (type === "model" ? ((event ?? {}) as Fields) : {});

const firstChoice = (raw: Fields): Fields => {
  const { choices } = rawEvent(raw) as { readonly choices?: readonly Fields[] };
  return choices?.[0] ?? {};
};

export function reasoningIn(raw: Fields): string {
  const { reasoning: short, reasoning_content = short } = (firstChoice(raw).delta ?? {}) as Fields;
  if (typeof reasoning_content === "string") return reasoning_content;
  const { type, delta } = rawEvent(raw);
  const isReasoning = type === "response.reasoning_summary_text.delta" || type === "response.reasoning_text.delta";
  return isReasoning ? String(delta) : "";
}

export function finishReasonIn(raw: Fields): string | undefined {
  const { finish_reason } = firstChoice(raw);
  return typeof finish_reason === "string" ? finish_reason : undefined;
}

export function usageIn({ response }: Fields) {
  const { usage } = (response ?? {}) as { readonly usage?: Readonly<Record<string, number>> };
  return { input: usage?.inputTokens, output: usage?.outputTokens, total: usage?.totalTokens };
}
