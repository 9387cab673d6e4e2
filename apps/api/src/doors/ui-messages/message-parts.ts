/** The part of a message that is being written, and its step: a turn of the model with the results of its calls. */
import { createDelta, frame } from "./chunks.ts";

type PartType = "text" | "reasoning";

type OpenPart = { readonly type: PartType; readonly id: string; readonly delta: (content: string) => string };

/** Each method returns the frames of what it changes. */
export class MessageParts {
  #open: OpenPart | null = null;
  #count = 0;
  #step: "none" | "open" | "has_results" = "none";

  say(type: PartType, content: string): string {
    if (content === "") return "";
    if (this.#open?.type === type && this.#step === "open") return this.#open.delta(content);
    const before = this.inStep();
    const id = `${type}-${++this.#count}`;
    this.#open = { type, id, delta: createDelta(`${type}-delta`, id) };
    return before + frame({ type: `${type}-start`, id }) + this.#open.delta(content);
  }

  close(): string {
    const closed = this.#open === null ? "" : frame({ type: `${this.#open.type}-end`, id: this.#open.id });
    this.#open = null;
    return closed;
  }

  /** What follows belongs to a step that has no results yet. */
  inStep(): string {
    if (this.#step === "open") return this.close();
    const begun = this.endStep() + frame({ type: "start-step" });
    this.#step = "open";
    return begun;
  }

  noteResult(): string {
    if (this.#step === "open") this.#step = "has_results";
    return "";
  }

  endStep(): string {
    const ended = this.close() + (this.#step === "none" ? "" : frame({ type: "finish-step" }));
    this.#step = "none";
    return ended;
  }
}
