/**
 * An answer for clients that can only append to what they show. After a `reset`, what the new text repeats of the one
 * before is not sent again. A text that turns out to be another one follows whole, behind an empty line: a mixture of
 * two texts would look like one that somebody wrote.
 */
import type { MessageEvent } from "@agent-paas/shared/contract/events.ts";
import { GrowingText } from "@agent-paas/shared/growing-text.ts";

const SEPARATOR = "\n\n";

export class AppendOnlyText {
  /** What the client has of the text that it was sent last. */
  readonly #sent = new GrowingText();
  /** After a `reset`: what was sent before it, and how much of that the new text repeats so far. */
  #repeating: { readonly text: string; length: number } | null = null;

  /** What the client has of the text that it was sent last. */
  get sent(): string {
    return `${this.#sent}`;
  }

  /** Returns what the client is to append. */
  apply({ type, content }: MessageEvent["data"]): string {
    if (type === "reset") this.#repeating = { text: `${this.#sent}`, length: 0 };
    const repeating = this.#repeating;
    if (repeating === null) {
      this.#sent.append(content);
      return content;
    }
    const expected = repeating.text.slice(repeating.length, repeating.length + content.length);
    if (!content.startsWith(expected)) return this.#startOver(repeating.text.slice(0, repeating.length) + content);
    repeating.length += expected.length;
    if (repeating.length === repeating.text.length) this.#repeating = null;
    const fresh = content.slice(expected.length);
    this.#sent.append(fresh);
    return fresh;
  }

  /** Returns what a text lacks that has ended; not empty if it ended before it had repeated the one before. */
  end(): string {
    const repeating = this.#repeating;
    const repeated = repeating === null ? "" : repeating.text.slice(0, repeating.length);
    return repeated === "" ? "" : this.#startOver(repeated);
  }

  #startOver(text: string): string {
    this.#repeating = null;
    this.#sent.replace(text);
    return SEPARATOR + text;
  }
}
