/**
 * Streams of protocols that end where people must act: which inquiries the client is shown, where the stream ends, and
 * where one begins that goes on behind what its client has seen.
 */
import type { DecodedEvent, ThoughtEvent } from "@agent-paas/shared/contract/events.ts";
import type { Translate } from "./stream-format.ts";

export type KnownInquiries = {
  /** Of each inquiry of the job that is decided, whether it was rejected. */
  readonly decided: ReadonlyMap<string, boolean>;
  /** The inquiries that the client has seen: all up to the last of them is not sent again. */
  readonly seen: ReadonlySet<string>;
};

export type WatchedInquiry = {
  readonly id: string;
  /** Whether a person is to decide it. */
  readonly isOpen: boolean;
  /** Whether it is the last one of an attempt. */
  readonly isLast: boolean;
};

type Thought = ThoughtEvent["data"];

/** Each returns frames. They are called with every event, also when the client is not sent what they return. */
export type AskingProtocol = {
  readonly ask: (thought: Thought, inquiry: WatchedInquiry) => string;
  /** Ends the stream, because the job waits. */
  readonly endAsking: () => string;
  /** Of every other event. */
  readonly tell: (event: DecodedEvent) => string;
};

const isInquiry = ({ type }: Thought): boolean => type === "approval_required" || type === "input_required";

export function createAskingTranslate({ decided, seen }: KnownInquiries, { ask, endAsking, tell }: AskingProtocol) {
  const unseen = new Set(seen);
  /** What comes before an inquiry that the client has seen. If the log has lost that one, it is sent after all. */
  let held = "";
  let isAsking = false;

  function inquire(thought: Thought): ReturnType<Translate> {
    const id = String(thought.request_id);
    const isOpen = !decided.has(id);
    // Those of one attempt come at its end, together. Absent where a worker of a former version asked.
    const isLast = Number(thought.more ?? 0) === 0;
    isAsking ||= isOpen;
    unseen.delete(id);
    const asked = ask(thought, { id, isOpen, isLast });
    if (seen.has(id)) held = "";
    const frames = seen.has(id) ? "" : asked;
    return isAsking && isLast ? { last: held + frames + endAsking() } : send(frames);
  }

  function send(frames: string): string {
    if (unseen.size === 0) return frames;
    held += frames;
    return "";
  }

  const translate: Translate = (event) => {
    if (event.event === "thought" && isInquiry(event.data)) return inquire(event.data);
    const frames = tell(event);
    return event.event === "done" ? held + frames : send(frames);
  };
  return translate;
}
