/**
 * The inquiries of one stream, for protocols whose streams end where people must act: which of them the client is
 * shown, where the stream ends, and where one begins that goes on behind what its client has seen.
 */
import type { ThoughtEvent } from "@agent-paas/shared/contract/events.ts";

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
  /** Whether the client knows it from an earlier stream. */
  readonly isSeen: boolean;
  /** Whether it is the last one of an attempt. */
  readonly isLast: boolean;
  /** Whether the job waits now, and the stream is to end. */
  readonly endsStream: boolean;
};

export const isInquiry = ({ type }: ThoughtEvent["data"]): boolean =>
  type === "approval_required" || type === "input_required";

export class InquiryWatch {
  readonly #known: KnownInquiries;
  readonly #unseen: Set<string>;
  #isAsking = false;

  constructor(known: KnownInquiries) {
    this.#known = known;
    this.#unseen = new Set(known.seen);
  }

  /** Whether the events so far are those that the client has seen. */
  get isSilent(): boolean {
    return this.#unseen.size > 0;
  }

  isRejected(requestId: string | null): boolean {
    return requestId !== null && this.#known.decided.get(requestId) === true;
  }

  /** Of a thought that is an inquiry. Those of one attempt come at its end, together. */
  note({ request_id, more }: ThoughtEvent["data"]): WatchedInquiry {
    const id = String(request_id);
    const { decided, seen } = this.#known;
    const isOpen = !decided.has(id);
    if (isOpen) this.#isAsking = true;
    this.#unseen.delete(id);
    // Absent where a worker of a former version asked.
    const isLast = (more ?? 0) === 0;
    return { id, isOpen, isSeen: seen.has(id), isLast, endsStream: this.#isAsking && isLast && !this.isSilent };
  }
}
