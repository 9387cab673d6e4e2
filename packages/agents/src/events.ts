/** What an agent may yield: thoughts and text. Errors are thrown, and the end is the platform's to say. */
import type { MessageEvent, ThoughtEvent, ThoughtType } from "@agent-paas/shared/contract/events.ts";

type TextEvent = MessageEvent & { readonly data: { readonly type: "text" } };

export type AgentEvent = ThoughtEvent | TextEvent;

/** A piece of the answer; the pieces in their order are the result. */
export const text = (content: string): TextEvent => ({ event: "message", data: { content, type: "text" } });

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
