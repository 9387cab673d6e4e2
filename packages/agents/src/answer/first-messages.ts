/** The messages that an agent's first model turn begins with. */
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import type { AgentInput } from "../agent/agent.ts";
import type { ModelMessage } from "../model/model.ts";

export type FirstMessagesOptions = {
  readonly system_prompt?: string | undefined;
  /** Most tokens of earlier messages of the session; the newest are kept. */
  readonly history_tokens: number;
  /**
   * Whether the tool calls of earlier turns and their results go along. For requests that offer tools: some providers
   * refuse calls in others. Default: no.
   */
  readonly withCalls?: boolean;
};

/**
 * Stands for the answer to a message that got none, because its job failed, was cancelled or still runs. Providers want
 * the roles to alternate; joined with the next message, it would be answered again.
 */
const NO_ANSWER = "(no answer)";

/**
 * The system prompt if there is one, the session's latest messages, the turn that the job goes on with, and the message
 * or task itself. User and assistant alternate.
 */
export async function firstMessages(
  input: AgentInput,
  { system_prompt, history_tokens, withCalls = false }: FirstMessagesOptions,
): Promise<ModelMessage[]> {
  const { text, parts, continues } = input;
  const isAsking = continues === undefined || text.trim() !== "" || parts !== undefined;
  const data = dataOf(input);
  const messages: ModelMessage[] = [];
  if (system_prompt !== undefined) messages.push({ role: "system", content: system_prompt });
  // Behind the results it would be a question that is answered in place of the one before them.
  if (!isAsking && data !== null) messages.push({ role: "system", content: data });
  const ask = (content: string, parts: readonly MessagePart[] | undefined) => {
    if (["user", "tool"].includes(messages.at(-1)?.role ?? ""))
      messages.push({ role: "assistant", content: NO_ANSWER });
    messages.push({ role: "user", content, ...(parts === undefined ? {} : { parts }) });
  };
  for (const message of await input.history.latest({ maxTokens: history_tokens, withCalls })) {
    const { role, content, parts, toolCalls, callId } = message;
    if (role === "user") ask(content, parts);
    else if (role === "system") messages.push({ role, content });
    else if (role === "assistant" && toolCalls !== undefined) messages.push({ role, content, toolCalls });
    else if (role === "tool" && callId !== undefined) messages.push({ role, callId, content });
    else if (role === "assistant" && content.trim() !== "") messages.push({ role, content });
  }
  for (const message of continues ?? []) {
    if (message.role === "user") ask(message.content, message.parts);
    else messages.push(message);
  }
  if (isAsking && data === null) ask(text, parts);
  if (isAsking && data !== null) ask(`${text}\n\n${data}`, parts && [...parts, { type: "text", text: data }]);
  return messages;
}

/** The `input` of an execute job as JSON; null: none. */
const dataOf = ({ data }: AgentInput): string | null =>
  data === undefined || data === null ? null : JSON.stringify(data, null, 2);
