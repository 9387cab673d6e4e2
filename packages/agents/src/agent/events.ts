/** What an agent may yield and return: thoughts, text, data. Errors are thrown, and the end is the platform's to say. */
import type { MessageEvent, ThoughtEvent, ThoughtType } from "@agent-paas/shared/contract/events.ts";
import type { Citation } from "@agent-paas/shared/contract/jobs.ts";

type TextEvent = MessageEvent & { readonly data: { readonly type: "text" } };

type ResetEvent = MessageEvent & { readonly data: { readonly type: "reset" } };

export type AgentEvent = ThoughtEvent | TextEvent | ResetEvent;

/** What an agent may return beside its streamed text. */
export type AgentOutcome = {
  readonly data?: unknown;
  /** What the answer rests on; shown in `done`. */
  readonly citations?: readonly Citation[];
};

/** A piece of the answer; the pieces in their order are the result. */
export const text = (content: string): TextEvent => ({ event: "message", data: { content, type: "text" } });

/** Replaces all that was said of the answer so far. */
export const reset = (content: string): ResetEvent => ({ event: "message", data: { content, type: "reset" } });

/** What is shown of an answer after a message event. */
export const shownAfter = (shown: string, { data }: MessageEvent): string =>
  data.type === "reset" ? data.content : shown + data.content;

/** Something to show beside the answer; `extra` fields stand in the event's data. */
export const thought = (
  type: Exclude<ThoughtType, "queued" | "progress" | "retry">,
  content: string,
  extra: Readonly<Record<string, unknown>> = {},
): ThoughtEvent => ({ event: "thought", data: { content, type, ...extra } });

/** How far the job is, from 0 to 1; also shown by `GET /jobs/{id}`. */
export const progress = (fraction: number, content: string): ThoughtEvent => ({
  event: "thought",
  data: { content, type: "progress", progress: Math.min(1, Math.max(0, fraction)) },
});
