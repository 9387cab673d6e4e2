/** The messages that an agent's first model turn begins with. */
import type { AgentInput } from "../agent/agent.ts";
import type { ModelMessage } from "../model/model.ts";

export type FirstMessagesOptions = {
  readonly system_prompt?: string | undefined;
  /** Most tokens of earlier messages of the session; the newest are kept. */
  readonly history_tokens: number;
};

/** The system prompt if there is one, the session's latest messages, and the message or task itself. */
export async function firstMessages(
  input: AgentInput,
  { system_prompt, history_tokens }: FirstMessagesOptions,
): Promise<ModelMessage[]> {
  const messages: ModelMessage[] = [];
  if (system_prompt !== undefined) messages.push({ role: "system", content: system_prompt });
  for (const { role, content } of await input.history.latest({ maxTokens: history_tokens })) {
    if (role === "user" || role === "assistant") messages.push({ role, content });
  }
  messages.push({ role: "user", content: withData(input) });
  return messages;
}

/** The task of an execute job, followed by its `input` as JSON. */
const withData = ({ text, data }: AgentInput): string =>
  data === undefined || data === null ? text : `${text}\n\n${JSON.stringify(data, null, 2)}`;
