/** The protocol of the AI SDK's `useChat`: a chat is a session, a message of the assistant is a job. */
import type { Door } from "../../http/door.ts";
import { postChat } from "./routes/chat.ts";
import { getChatStream } from "./routes/chat-stream.ts";

/** `native` gives the base path and the format of errors: these clients show whatever text they get. */
export const createUiMessagesDoor = (native: Door): Door => ({
  ...native,
  tags: { "AI SDK UI": "UI message streams, for `useChat` with `DefaultChatTransport({ api, headers })`." },
  basePath: `${native.basePath}/ui-messages`,
  routes: (services) => [postChat(services), getChatStream(services)],
});
