/**
 * A turn whose job this page follows: a question, and the answer as it comes. Events are gathered and shown once per
 * frame, so thousands of tokens a second cost no more than the screen can show.
 */
import {
  AgentPaasError,
  type ChatRequest,
  type Citation,
  type Inquiry,
  type Job,
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

/** What was sent for a turn. The same key makes it one job, however often it is sent. */
export type Sent = { readonly request: Omit<ChatRequest, "stream">; readonly idempotencyKey: string };

let lastNumber = 0;

export class Turn {
  /** Of all turns of the page. */
  readonly key = `turn ${++lastNumber}`;
  /** Null: another tab or client asks it. */
  readonly sent: Sent | null;
  readonly question: string | readonly MessagePart[] | null;
  /** The message that this turn replaces, with all behind it. */
  readonly replaces: string | null;
  /** Whether the history was asked for since the end. */
  isSettled = false;
  /** Whether the history has had its question. */
  wasStored = false;
  /** Whether its job ended while its stream was not read: what there is to see stands in the history. */
  hasEndedUnseen = false;

  readonly jobId = signal<string | null>(null);
  readonly status = signal<TurnStatus>("sending");
  readonly text = signal("");
  readonly thoughts = signal<readonly Thought[]>([]);
  readonly inquiries = signal<readonly Inquiry[]>([]);
  readonly citations = signal<readonly Citation[]>([]);
  readonly problem = signal<Problem | null>(null);
  readonly usage = signal<Usage | null>(null);
  /** Since the question was sent, ms; null if it was not seen from its beginning. */
  readonly firstTokenMs = signal<number | null>(null);
  readonly durationMs = signal<number | null>(null);

  readonly #sentAt = performance.now();
  #watching: AbortController | null = null;
  #stream: JobStream | null = null;
  #isTimed = false;
  #gathered: Thought[] = [];
  #isFlushing = false;

  constructor({
    sent = null,
    question = null,
    replaces = null,
    job = null,
  }: {
    readonly sent?: Sent | null;
    readonly question?: string | readonly MessagePart[] | null;
    readonly replaces?: string | null;
    readonly job?: Job | null;
  }) {
    this.sent = sent;
    this.question = question;
    this.replaces = replaces;
    this.jobId.value = job?.id ?? null;
    this.status.value = job?.status ?? "sending";
  }

  get isEnded(): boolean {
    return ENDED.has(this.status.value);
  }

  get isWatched(): boolean {
    return this.#watching !== null;
  }

  /** Ends the watching; the job goes on. */
  leave(): void {
    this.#watching?.abort();
    this.#watching = null;
  }

  /** Gives up a question that the platform has not accepted. */
  giveUp(): void {
    this.leave();
    this.status.value = "cancelled";
  }

  accepted(jobId: string): void {
    this.jobId.value = jobId;
    this.status.value = "queued";
  }

  /**
   * Follows the job from its first event to its end; true if the turn was left before. A stream that is given up while
   * the job may go on leaves the turn as it is, to be watched again.
   */
  async watch(open: (signal: AbortSignal) => JobStream): Promise<boolean> {
    const watching = new AbortController();
    this.#watching = watching;
    // The events of a job that runs come all at once at first, and what another tab asks was sent before.
    this.#isTimed = this.question !== null && (this.status.value === "sending" || this.status.value === "queued");
    this.#gathered = [];
    this.firstTokenMs.value = null;
    const stream = open(watching.signal);
    this.#stream = stream;
    try {
      for await (const event of stream) {
        this.#apply(event);
        this.#flushSoon(stream);
      }
      this.#flush(stream);
    } catch (error) {
      if (watching.signal.aborted) return true;
      this.#flush(stream);
      this.#gaveUp(error);
    } finally {
      if (this.#watching === watching) this.#watching = null;
    }
    return false;
  }

  #gaveUp(error: unknown): void {
    notifyError(error);
    const mayGoOn = this.jobId.value !== null && error instanceof AgentPaasError && error.retryable;
    if (mayGoOn) return;
    this.problem.value = { code: error instanceof AgentPaasError ? error.code : "error", text: describeError(error) };
    this.status.value = "failed";
  }

  /** Takes what the platform says of its job, where the stream has not said it. */
  take({ status, error, result }: Job): void {
    if (this.isEnded) return;
    if (this.isWatched) {
      if (this.status.value === "queued" && status === "running") this.status.value = status;
      return;
    }
    batch(() => {
      this.status.value = status;
      if (!this.isEnded) return;
      this.hasEndedUnseen = true;
      this.inquiries.value = [];
      this.text.value = result?.content ?? "";
      this.problem.value = error && { code: error.code, text: error.message };
    });
  }

  #apply(event: StreamEvent): void {
    const atMs = this.#isTimed ? performance.now() - this.#sentAt : null;
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
    if (stream !== this.#stream) return;
    batch(() => {
      this.text.value = stream.text;
      this.thoughts.value = this.#gathered;
    });
  }
}
