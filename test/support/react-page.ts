/** A page with a chat of `@ai-sdk/react` in jsdom: what a user reads and clicks, and nothing of its code. */
import { useChat } from "@ai-sdk/react";
import {
  DefaultChatTransport,
  isToolUIPart,
  lastAssistantMessageIsCompleteWithApprovalResponses,
  lastAssistantMessageIsCompleteWithToolCalls,
  type UIMessage,
} from "ai";
import { createElement, type ReactNode } from "react";

export type PageOptions = {
  readonly api: string;
  readonly headers: Record<string, string>;
  readonly body?: object;
  readonly id: string;
  /** As a page has them that keeps messages itself. */
  readonly messages?: readonly UIMessage[];
  /** What the page's own tool returns, of those that `body` names. */
  readonly runTool?: (input: unknown) => unknown;
};

type Element = { textContent: string | null; click(): void };
type Page = { querySelector(selector: string): Element | null; querySelectorAll(selector: string): Iterable<Element> };
type Root = { render(node: ReactNode): void; unmount(): void };

/** Neither has types of its own, and those that exist would bring those of browsers into all tests. */
async function openRoot(): Promise<{ readonly root: Root; readonly page: Page; readonly close: () => void }> {
  const { JSDOM } = await import("jsdom" as string);
  const { window } = new JSDOM('<div id="root"></div>', { url: "https://app.example/" });
  Object.assign(globalThis, { window, document: window.document });
  const { createRoot } = await import("react-dom/client" as string);
  const root: Root = createRoot(window.document.querySelector("#root"));
  return { root, page: window.document, close: () => root.unmount() };
}

function Chat({ id, messages: initial = [], api, headers, body, runTool, sends }: PageOptions & { sends: string[] }) {
  const { messages, status, error, sendMessage, stop, addToolApprovalResponse, addToolOutput } = useChat({
    // A new chat has nothing to resume: a question that is sent meanwhile would be resumed beside its own stream.
    ...{ id, messages: [...initial], resume: initial.length > 0 },
    sendAutomaticallyWhen: (chat) =>
      lastAssistantMessageIsCompleteWithApprovalResponses(chat) || lastAssistantMessageIsCompleteWithToolCalls(chat),
    onToolCall({ toolCall: { toolName: tool, toolCallId, input, dynamic } }) {
      if (dynamic !== true) void addToolOutput({ tool, toolCallId, output: runTool?.(input) });
    },
    transport: new DefaultChatTransport({ api, headers, ...(body === undefined ? {} : { body }) }),
  });
  const button = (name: string, onClick: () => void) =>
    createElement("button", { type: "button", key: name, id: name, onClick }, name);
  const asked = messages.flatMap(({ parts }) => parts).filter((part) => isToolUIPart(part));
  return createElement(
    "main",
    null,
    createElement("p", { id: "status" }, status),
    createElement("p", { id: "error" }, error?.message ?? ""),
    ...messages.map(({ id: key, role, parts }) =>
      createElement(
        "p",
        { key, className: role },
        parts.map((part) => (part.type === "text" ? part.text : "")).join(""),
      ),
    ),
    ...asked.map(({ toolCallId, state }) => createElement("p", { key: toolCallId, className: "tool" }, state)),
    button("send", () => void sendMessage({ text: sends.shift() ?? "" })),
    button("stop", () => void stop()),
    button("approve", () => {
      for (const { state, approval } of asked) {
        if (state === "approval-requested" && approval !== undefined) {
          void addToolApprovalResponse({ id: approval.id, approved: true });
        }
      }
    }),
  );
}

export async function openPage(options: PageOptions) {
  const { root, page, close } = await openRoot();
  const sends: string[] = [];
  root.render(createElement(Chat, { ...options, sends }));
  const textOf = (selector: string) => page.querySelector(selector)?.textContent ?? null;
  const click = (id: string) => page.querySelector(`#${id}`)?.click();
  return {
    close,
    click,
    status: () => textOf("#status"),
    error: () => textOf("#error"),
    /** The texts of all messages of a role, or the states of all tool calls. */
    shown: (name: "user" | "assistant" | "tool") =>
      [...page.querySelectorAll(`.${name}`)].map(({ textContent }) => textContent ?? ""),
    send(text: string) {
      sends.push(text);
      click("send");
    },
  };
}
