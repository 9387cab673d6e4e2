/**
 * One session: its history, and the turns that run. What happens elsewhere (a second tab, another client) is seen
 * within seconds, because the session's jobs are asked for while the page is visible.
 */
import type { Agent, ChatRequest, Job, Message, MessagePart, Session } from "@agent-paas/client";
import { batch, computed, signal } from "@preact/signals";
import { client } from "../state/connection.ts";
import { notifyError } from "../ui/notices.tsx";
import { exchangesOf } from "./exchanges.ts";
import { Turn } from "./turn.ts";

const POLL_MS = 3_000;
/** What is drawn at once: more would hold up the scrolling. */
const PAGE = 100;
/** The jobs whose state is asked for; older ones have ended. */
const RECENT_JOBS = 30;

export type Send = {
  readonly message?: string | readonly MessagePart[];
  /** A message of the user that this one replaces, with all behind it. Without `message` it is sent again. */
  readonly replaceFrom?: string;
  readonly config?: Readonly<Record<string, unknown>> | undefined;
};

export class Conversation {
  readonly sessionId = signal<string | null>(null);
  readonly session = signal<Session | null>(null);
  readonly error = signal<unknown>(null);
  readonly isLoaded = signal(false);
  readonly hasEarlier = computed(() => this.#next.value !== null);
  readonly exchanges = computed(() => exchangesOf(this.#messages.value, this.#turns.value, this.#jobs.value));
  /** The turn that a stop would stop. */
  readonly running = computed(() => this.#turns.value.findLast(({ isEnded }) => !isEnded) ?? null);

  readonly #messages = signal<readonly Message[]>([]);
  readonly #next = signal<string | null>(null);
  readonly #turns = signal<readonly Turn[]>([]);
  readonly #jobs = signal<ReadonlyMap<string, Job>>(new Map());
  readonly #left = new AbortController();
  readonly #onSession: (sessionId: string) => void;
  #isLoadingEarlier = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `onSession` is called when a new conversation has got its session. */
  constructor(sessionId: string | null, onSession: (sessionId: string) => void) {
    this.sessionId.value = sessionId;
    this.#onSession = onSession;
    this.isLoaded.value = sessionId === null;
    if (sessionId !== null) void this.#open(sessionId);
  }

  /** Ends the watching; running jobs go on. */
  leave(): void {
    this.#left.abort();
    clearTimeout(this.#timer);
    for (const turn of this.#turns.peek()) turn.leave();
  }

  async #open(sessionId: string): Promise<void> {
    const { signal } = this.#left;
    try {
      const [session] = await Promise.all([client.peek().sessions.get(sessionId, { signal }), this.#refresh()]);
      this.session.value = session;
      this.isLoaded.value = true;
    } catch (error) {
      if (!signal.aborted) this.error.value = error;
    }
    this.#pollLater();
  }

  #pollLater(): void {
    clearTimeout(this.#timer);
    if (this.#left.signal.aborted) return;
    this.#timer = setTimeout(async () => {
      if (!document.hidden) await this.#poll().catch(() => {});
      this.#pollLater();
    }, POLL_MS);
  }

  /** Asks for the history again if a job has come or changed. */
  async #poll(): Promise<void> {
    const known = this.#jobs.peek();
    await this.#askJobs();
    const now = this.#jobs.peek();
    if ([...now].some(([id, { status }]) => known.get(id)?.status !== status)) await this.#askHistory();
  }

  async #refresh(): Promise<void> {
    await this.#askJobs();
    await this.#askHistory();
  }

  async #askJobs(): Promise<void> {
    const session_id = this.sessionId.peek();
    if (session_id === null) return;
    const { signal } = this.#left;
    const { jobs } = await client.peek().jobs.list({ session_id, limit: RECENT_JOBS, signal });
    this.#jobs.value = new Map([...this.#jobs.peek(), ...jobs.map((job) => [job.id, job] as const)]);
    const isActive = ({ status }: Job) => status === "queued" || status === "running" || status === "waiting";
    for (const { id } of jobs.filter(isActive).reverse()) this.#followJob(id);
  }

  /** The newest messages; of the older ones those before them stay. */
  async #askHistory(): Promise<void> {
    const sessionId = this.sessionId.peek();
    if (sessionId === null) return;
    const { signal } = this.#left;
    const page = await client.peek().history(sessionId, { limit: PAGE, signal });
    batch(() => {
      const known = this.#messages.peek();
      const from = known.findIndex(({ id }) => id === page.messages[0]?.id);
      this.#messages.value = [...known.slice(0, Math.max(0, from)), ...page.messages];
      if (from <= 0) this.#next.value = page.next;
      const stored = new Set(this.#messages.peek().map(({ job_id }) => job_id));
      for (const turn of this.#turns.peek()) {
        turn.isSettled ||= turn.isEnded;
        turn.wasStored ||= stored.has(turn.jobId.peek() ?? "");
      }
      this.#turns.value = [...this.#turns.peek()];
    });
  }

  /** Puts a page of older messages before the others. */
  async loadEarlier(): Promise<void> {
    const [sessionId, before] = [this.sessionId.peek(), this.#next.peek()];
    if (sessionId === null || before === null || this.#isLoadingEarlier) return;
    this.#isLoadingEarlier = true;
    try {
      const page = await client.peek().history(sessionId, { limit: PAGE, before, signal: this.#left.signal });
      if (this.#next.peek() !== before) return;
      batch(() => {
        this.#messages.value = [...page.messages, ...this.#messages.peek()];
        this.#next.value = page.next;
      });
    } catch (error) {
      notifyError(error);
    } finally {
      this.#isLoadingEarlier = false;
    }
  }

  /** Sends a message, in a new session if there is none yet. */
  send(agent: Pick<Agent, "id">, { message, replaceFrom, config }: Send): void {
    const session_id = this.sessionId.peek() ?? undefined;
    const request: Omit<ChatRequest, "stream"> = {
      agent_type: agent.id,
      ...(session_id === undefined ? {} : { session_id }),
      ...(message === undefined ? {} : { message }),
      ...(replaceFrom === undefined ? {} : { replace_from: replaceFrom }),
      ...(config === undefined ? {} : { config }),
    };
    const again = this.#messages.peek().find(({ id }) => id === replaceFrom);
    const turn = new Turn({ question: message ?? again?.parts ?? again?.content ?? "", replaces: replaceFrom ?? null });
    this.#turns.value = [...this.#turns.peek(), turn];
    void turn
      .follow(client.peek().chat(request, { signal: turn.signal }), ({ sessionId }) => this.#begun(sessionId))
      .then(() => this.#ended());
  }

  #begun(sessionId: string | null): void {
    if (sessionId !== null && this.sessionId.peek() === null) {
      this.sessionId.value = sessionId;
      this.#onSession(sessionId);
      void this.#open(sessionId);
    }
    // The turn has its id now.
    this.#turns.value = [...this.#turns.peek()];
  }

  #followJob(jobId: string): void {
    const turns = this.#turns.peek();
    // A turn without an id may be this job.
    if (turns.some((turn) => turn.jobId.peek() === jobId || turn.status.peek() === "sending")) return;
    const turn = new Turn({ jobId });
    this.#turns.value = [...turns, turn];
    const stream = client.peek().events(jobId, { signal: turn.signal });
    void turn.follow(stream, () => {}).then(() => this.#ended());
  }

  async #ended(): Promise<void> {
    if (this.#left.signal.aborted) return;
    this.#turns.value = [...this.#turns.peek()];
    try {
      await this.#refresh();
    } catch {
      for (const turn of this.#turns.peek()) turn.isSettled ||= turn.isEnded;
      this.#turns.value = [...this.#turns.peek()];
    }
  }

  /** Stops the running job. Its stream ends by itself. */
  async stop(): Promise<void> {
    const jobId = this.running.peek()?.jobId.peek();
    if (!jobId) return;
    try {
      await client.peek().cancel(jobId);
    } catch (error) {
      notifyError(error);
    }
  }
}
