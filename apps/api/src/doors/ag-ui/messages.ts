/** The message or reasoning that is being written. Each method returns the frames of what it changes. */
import { createContent, frame } from "./events.ts";

type Kind = "text" | "reasoning";

export class Messages {
  readonly #jobId: string;
  #open: { readonly kind: Kind; readonly id: string; readonly content: (text: string) => string } | null = null;
  #count = 0;

  constructor(jobId: string) {
    this.#jobId = jobId;
  }

  say(kind: Kind, content: string): string {
    if (content === "") return "";
    if (this.#open?.kind === kind) return this.#open.content(content);
    const closed = this.close();
    const id = `${this.#jobId}-${++this.#count}`;
    const write = createContent(kind === "text" ? "TEXT_MESSAGE_CONTENT" : "REASONING_MESSAGE_CONTENT", id);
    this.#open = { kind, id, content: write };
    const begun =
      kind === "text"
        ? frame({ type: "TEXT_MESSAGE_START", messageId: id, role: "assistant" })
        : frame({ type: "REASONING_START", messageId: id }) +
          frame({ type: "REASONING_MESSAGE_START", messageId: id, role: "reasoning" });
    return closed + begun + write(content);
  }

  close(): string {
    if (this.#open === null) return "";
    const { kind, id: messageId } = this.#open;
    this.#open = null;
    if (kind === "text") return frame({ type: "TEXT_MESSAGE_END", messageId });
    return frame({ type: "REASONING_MESSAGE_END", messageId }) + frame({ type: "REASONING_END", messageId });
  }
}
