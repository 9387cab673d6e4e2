/**
 * The AI SDK's own chat on its own transport, with nothing but `api` and `headers`. All that it receives is held
 * against the OpenAPI document; `checked` rejects if something was not as the document says.
 */
import { AbstractChat, type ChatInit, type ChatState, DefaultChatTransport, type UIMessage } from "ai";
import { answerChecks } from "./answer-checks.ts";

/** What `useChat` keeps in React. */
class PlainState implements ChatState<UIMessage> {
  status: ChatState<UIMessage>["status"] = "ready";
  error: Error | undefined;
  messages: UIMessage[];
  readonly snapshot = structuredClone;

  constructor(messages: UIMessage[]) {
    this.messages = messages;
  }

  pushMessage(message: UIMessage) {
    this.messages = [...this.messages, message];
  }

  popMessage() {
    this.messages = this.messages.slice(0, -1);
  }

  replaceMessage(index: number, message: UIMessage) {
    this.messages = this.messages.with(index, structuredClone(message));
  }
}

class PlainChat extends AbstractChat<UIMessage> {
  constructor({ messages = [], ...init }: ChatInit<UIMessage>) {
    super({ ...init, state: new PlainState(messages) });
  }
}

export type UiChat = PlainChat & { readonly checked: () => Promise<unknown> };

export type UiChatOptions = Omit<ChatInit<UIMessage>, "transport"> & {
  readonly agent?: string;
  readonly headers?: Record<string, string>;
  readonly body?: object;
};

export function createUiTransport(
  origin: string,
  apiKey: string,
  { agent = "chat_basic", headers, body }: UiChatOptions = {},
) {
  const checks: Promise<void>[] = [];

  async function check(method: string, url: string, response: Response): Promise<void> {
    // What the client has not read to its end ends here as well.
    const text = await response.text().catch(() => null);
    if (text === null) return;
    const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
    const { status, headers: received } = response;
    const answer = { status, headers: received, body: isJson ? JSON.parse(text) : text };
    (await answerChecks()).answer(method, new URL(url).pathname, answer);
  }

  const transport = new DefaultChatTransport<UIMessage>({
    api: `${origin}/api/v1/ui-messages/${agent}`,
    headers: { Authorization: `Bearer ${apiKey}`, ...headers },
    ...(body === undefined ? {} : { body }),
    async fetch(url, init) {
      const response = await fetch(url, init);
      checks.push(check(init?.method ?? "GET", String(url), response.clone()));
      return response;
    },
  });
  return { transport, checked: () => Promise.all(checks) };
}

export function createUiChat(origin: string, apiKey: string, options: UiChatOptions = {}): UiChat {
  const { agent: _agent, headers: _headers, body: _body, ...init } = options;
  const { transport, checked } = createUiTransport(origin, apiKey, options);
  return Object.assign(new PlainChat({ ...init, transport }), { checked });
}

/** The texts of a message, joined. */
export const textOf = (message: UIMessage | undefined): string =>
  (message?.parts ?? []).map((part) => (part.type === "text" ? part.text : "")).join("");
