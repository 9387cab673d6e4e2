/** What an agent may yield and return: thoughts, text, data. Errors are thrown; `done` is published by the platform. */
import type { MessageEvent, ThoughtEvent, ThoughtType } from "@agent-paas/shared/contract/events.ts";
import type { Citation } from "@agent-paas/shared/contract/jobs.ts";
import type { GrowingText } from "@agent-paas/shared/growing-text.ts";
import type { ModelMessage } from "../model/model.ts";

type TextEvent = MessageEvent & { readonly data: { readonly type: "text" } };

type ResetEvent = MessageEvent & { readonly data: { readonly type: "reset" } };

export type AgentEvent = ThoughtEvent | TextEvent | ResetEvent;

/** What an agent may return in addition to its streamed text. */
export type AgentOutcome = {
  readonly data?: unknown;
  /**
   * How the answer ended, in the words of `ModelTurn`. Default: how the last model turn of the agent itself ended, not
   * of the agents that it delegated to.
   */
  readonly finishReason?: string | undefined;
  /** The passages that the answer refers to; they are part of `done`. */
  readonly citations?: readonly Citation[];
  /**
   * The model turn with which the job ends because it calls tools of the client: the assistant's message, and the
   * results of its other calls. The calls without a result are the client's.
   */
  readonly openTurn?: readonly ModelMessage[];
};

/** A piece of the answer; all pieces in order make up the result. */
export const text = (content: string): TextEvent => ({ event: "message", data: { content, type: "text" } });

/** Replaces all answer text so far by `content`. */
export const reset = (content: string): ResetEvent => ({ event: "message", data: { content, type: "reset" } });

/** Applies a message event to the answer's text. */
export function applyMessage(shown: GrowingText, { data }: MessageEvent): void {
  if (data.type === "reset") shown.replace(data.content);
  else shown.append(data.content);
}

/**
 * Throws a `TypeError` for what is no event. Plugins are not type-checked, because Node only strips their types, and a
 * `done` event from an agent would end the stream before the job (I3).
 */
export function assertEvent(value: AgentEvent): void {
  const isKnown = value?.event === "message" || value?.event === "thought";
  if (!isKnown || typeof value.data?.content !== "string") throw new TypeError("The agent yielded what is no event");
}

/** Something to show beside the answer; `extra` fields become fields of the event's data. */
export const thought = (
  type: Exclude<ThoughtType, "queued" | "progress" | "retry">,
  content: string,
  extra: Readonly<Record<string, unknown>> = {},
): ThoughtEvent => ({ event: "thought", data: { content, type, ...extra } });

/** The finished part of the job, 0 to 1; `GET /jobs/{id}` shows the latest. */
export const progress = (fraction: number, content: string): ThoughtEvent => ({
  event: "thought",
  data: { content, type: "progress", progress: Math.min(1, Math.max(0, fraction)) },
});
