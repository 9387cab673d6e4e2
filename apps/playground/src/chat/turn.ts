/**
 * A turn whose job this page follows: a question, and the answer as it comes. Events are gathered and shown once per
 * frame, so thousands of tokens a second cost no more than the screen can show.
 */
import {
  AgentPaasError,
  type Citation,
  type Inquiry,
  type JobStatus,
  type JobStream,
  type MessagePart,
  type StreamEvent,
  type Usage,
} from "@agent-paas/client";
import { batch, signal } from "@preact/signals";
import { describeError, notifyError } from "../ui/notices.tsx";
import { gatherThought, type Thought } from "./thoughts.ts";

/** Before the platform has accepted it, a turn is `sending`. */
export type TurnStatus = JobStatus | "sending";

export type Problem = { readonly code: string; readonly text: string };

/** While the page is hidden, browsers make no frames. */
const HIDDEN_FLUSH_MS = 1_000;

const ENDED: ReadonlySet<TurnStatus> = new Set(["completed", "failed", "cancelled"]);

export class Turn {
  readonly question: string | readonly MessagePart[] | null;
  /** The message that this turn replaces, with all behind it. */
  readonly replaces: string | null;
  readonly beganAt = performance.now();
  /** Whether the history was asked for since the end. */
  isSettled = false;
  /** Whether the history has had its question. */
  wasStored = false;

  readonly jobId = signal<string | null>(null);
  readonly status = signal<TurnStatus>("sending");
  readonly text = signal("");
  readonly thoughts = signal<readonly Thought[]>([]);
  readonly inquiries = signal<readonly Inquiry[]>([]);
  readonly citations = signal<readonly Citation[]>([]);
  readonly problem = signal<Problem | null>(null);
  readonly usage = signal<Usage | null>(null);
  readonly firstTokenMs = signal<number | null>(null);
  readonly durationMs = signal<number | null>(null);

  readonly #left = new AbortController();
  #gathered: Thought[] = [];
  #isFlushing = false;

  constructor({
    question = null,
    replaces = null,
    jobId = null,
  }: {
    readonly question?: string | readonly MessagePart[] | null;
    readonly replaces?: string | null;
    readonly jobId?: string | null;
  }) {
    this.question = question;
    this.replaces = replaces;
    this.jobId.value = jobId;
  }

  get isEnded(): boolean {
    return ENDED.has(this.status.value);
  }

  get signal(): AbortSignal {
    return this.#left.signal;
  }

  /** Ends the watching; the job goes on. */
  leave(): void {
    this.#left.abort();
  }

  /** Follows the job to its end. `onAccepted` is called with the first event. */
  async follow(stream: JobStream, onAccepted: (stream: JobStream) => void): Promise<void> {
    let isAccepted = false;
    try {
      for await (const event of stream) {
        if (!isAccepted) {
          isAccepted = true;
          this.jobId.value = stream.jobId;
          if (this.status.value === "sending") this.status.value = "running";
          onAccepted(stream);
        }
        this.#apply(event);
        this.#flushSoon(stream);
      }
      this.#flush(stream);
    } catch (error) {
      if (this.#left.signal.aborted) return;
      this.#flush(stream);
      this.problem.value = { code: error instanceof AgentPaasError ? error.code : "error", text: describeError(error) };
      this.status.value = "failed";
      notifyError(error);
    }
  }

  #apply(event: StreamEvent): void {
    const atMs = performance.now() - this.beganAt;
    switch (event.event) {
      case "thought":
        this.#gathered = gatherThought(this.#gathered, event, atMs);
        this.#applyThought(event.data);
        break;
      case "message":
        if (event.data.content !== "") this.firstTokenMs.value ??= atMs;
        this.status.value = "running";
        break;
      case "error":
        this.problem.value = { code: event.data.code, text: event.data.message };
        break;
      case "done":
        batch(() => {
          this.usage.value = event.data.usage;
          this.citations.value = event.data.citations ?? [];
          this.durationMs.value = atMs;
          this.inquiries.value = [];
          this.status.value = event.data.status;
        });
    }
  }

  #applyThought(data: Readonly<Record<string, unknown>> & { readonly type: string }): void {
    if (data.type === "queued") {
      this.status.value = "queued";
    } else if (data.type === "approval_required" || data.type === "input_required") {
      const inquiry = { ...data, type: data.type === "approval_required" ? "approval" : "input" } as unknown as Inquiry;
      // After a crash an inquiry may be shown again.
      const others = this.inquiries.value.filter(({ request_id }) => request_id !== inquiry.request_id);
      this.inquiries.value = [...others, inquiry];
      this.status.value = "waiting";
    } else {
      if (data.type === "retry") this.inquiries.value = [];
      if (this.inquiries.value.length === 0) this.status.value = "running";
    }
  }

  /** An inquiry that was decided here or elsewhere is no longer asked. */
  decided(requestId: string): void {
    this.inquiries.value = this.inquiries.value.filter(({ request_id }) => request_id !== requestId);
  }

  #flushSoon(stream: JobStream): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    const flush = () => {
      this.#isFlushing = false;
      this.#flush(stream);
    };
    if (document.hidden) setTimeout(flush, HIDDEN_FLUSH_MS);
    else requestAnimationFrame(flush);
  }

  #flush(stream: JobStream): void {
    batch(() => {
      this.text.value = stream.text;
      this.thoughts.value = this.#gathered;
    });
  }
}
