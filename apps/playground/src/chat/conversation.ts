/**
 * One session: its history, and the turns that run. What happens elsewhere (a second tab, another client) is seen
 * within seconds, because the session's jobs are asked for while the page is visible.
 */
import {
  type AcceptedChat,
  AgentPaasError,
  type HistoryPage,
  type Job,
  type JobStream,
  type Message,
  type MessagePart,
  type Session,
} from "@agent-paas/client";
import { batch, computed, signal } from "@preact/signals";
import { client } from "../state/connection.ts";
import { notifyError } from "../ui/notices.tsx";
import { exchangesOf } from "./exchanges.ts";
import { type Sent, Turn } from "./turn.ts";

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
  /** Why the session could not be read; null once it could. */
  readonly error = signal<unknown>(null);
  readonly isLoaded = signal(false);
  readonly hasEarlier = computed(() => this.#next.value !== null);
  readonly exchanges = computed(() => exchangesOf(this.#messages.value, this.#turns.value, this.#jobs.value));
  /** The turn that a stop would stop: the one at work, or else the next. */
  readonly running = computed(() => {
    const open = this.#turns.value.filter(({ isEnded }) => !isEnded);
    return open.find(({ status }) => status.value === "running" || status.value === "waiting") ?? open[0] ?? null;
  });
  /** The newest question that was asked here. */
  readonly lastSent = signal<Turn | null>(null);

  readonly #messages = signal<readonly Message[]>([]);
  readonly #next = signal<string | null>(null);
  readonly #turns = signal<readonly Turn[]>([]);
  readonly #jobs = signal<ReadonlyMap<string, Job>>(new Map());
  readonly #left = new AbortController();
  readonly #onSession: (sessionId: string) => void;
  /** Whether a job has come or changed since the history was asked for. */
  #isStale = false;
  #timesAsked = 0;
  #isLoadingEarlier = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `onSession` is called when a new conversation has got its session. */
  constructor(sessionId: string | null, onSession: (sessionId: string) => void) {
    this.sessionId.value = sessionId;
    this.#onSession = onSession;
    this.isLoaded.value = sessionId === null;
    void this.reload();
  }

  /** Ends the watching; running jobs go on. */
  leave(): void {
    this.#left.abort();
    clearTimeout(this.#timer);
    for (const turn of this.#turns.peek()) turn.leave();
  }

  /** Asks for all of it anew, and then every so often. */
  async reload(): Promise<void> {
    const sessionId = this.sessionId.peek();
    if (sessionId === null) return;
    clearTimeout(this.#timer);
    this.error.value = null;
    try {
      await this.#refresh(sessionId);
    } catch (error) {
      if (this.#left.signal.aborted) return;
      this.error.value = error;
      if (!(error instanceof AgentPaasError && error.retryable)) return;
    }
    this.#pollLater(sessionId);
  }

  #pollLater(sessionId: string): void {
    clearTimeout(this.#timer);
    if (this.#left.signal.aborted) return;
    this.#timer = setTimeout(async () => {
      if (!document.hidden) await this.#poll(sessionId).catch(() => {});
      this.#pollLater(sessionId);
    }, POLL_MS);
  }

  async #poll(sessionId: string): Promise<void> {
    if (this.session.peek() !== null) this.#takeJobs(await this.#askJobs(sessionId));
    if (this.#isStale || this.session.peek() === null) await this.#refresh(sessionId);
    else this.#watchOldest();
  }

  /** The history comes before any stream: a browser has few connections to one origin. */
  async #refresh(sessionId: string): Promise<void> {
    const { signal } = this.#left;
    const [session, jobs] = await Promise.all([
      client.peek().sessions.get(sessionId, { signal }),
      this.#askJobs(sessionId),
    ]);
    batch(() => {
      this.session.value = session;
      this.#takeJobs(jobs);
    });
    this.#isStale = false;
    this.#timesAsked += 1;
    const time = this.#timesAsked;
    try {
      const page = await client.peek().history(sessionId, { limit: PAGE, signal });
      // An older answer may come later.
      if (time === this.#timesAsked) this.#takeHistory(page);
    } catch (error) {
      this.#isStale = true;
      throw error;
    }
    this.#watchOldest();
  }

  async #askJobs(session_id: string): Promise<readonly Job[]> {
    const { signal } = this.#left;
    return (await client.peek().jobs.list({ session_id, limit: RECENT_JOBS, signal })).jobs;
  }

  #takeJobs(jobs: readonly Job[]): void {
    const known = this.#jobs.peek();
    const turns = [...this.#turns.peek()];
    this.#isStale ||= jobs.some(({ id, status }) => known.get(id)?.status !== status);
    for (const job of jobs.toReversed()) {
      const turn = turns.find(({ jobId }) => jobId.peek() === job.id);
      // A turn without an id may be this job.
      const isNew = turn === undefined && isActive(job) && !turns.some(({ status }) => status.peek() === "sending");
      if (isNew) turns.push(new Turn({ job }));
      turn?.take(job);
    }
    batch(() => {
      this.#jobs.value = new Map([...known, ...jobs.map((job) => [job.id, job] as const)]);
      this.#turns.value = turns;
    });
  }

  /** The newest messages; of the older ones those before them stay. */
  #takeHistory(page: HistoryPage): void {
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
      this.#turns.value = this.#turns.peek().filter((turn) => !(turn.hasEndedUnseen && turn.wasStored));
      this.isLoaded.value = true;
      this.error.value = null;
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
  send(agent_type: string, { message, replaceFrom, config }: Send): void {
    const session_id = this.sessionId.peek() ?? undefined;
    const again = this.#messages.peek().find(({ id }) => id === replaceFrom);
    this.#send(
      { request: { agent_type, session_id, message, replace_from: replaceFrom, config }, idempotencyKey: newKey() },
      { question: message ?? again?.parts ?? again?.content ?? "", replaces: replaceFrom ?? null },
    );
  }

  /** Sends what the platform has not accepted once more. */
  sendAgain(turn: Turn): void {
    if (turn.sent === null) return;
    const session_id = this.sessionId.peek() ?? undefined;
    const { request } = turn.sent;
    this.#turns.value = this.#turns.peek().filter((other) => other !== turn);
    const isSame = request.session_id === session_id;
    this.#send(isSame ? turn.sent : { request: { ...request, session_id }, idempotencyKey: newKey() }, turn);
  }

  #send(sent: Sent, { question, replaces }: Pick<Turn, "question" | "replaces">): void {
    const turn = new Turn({ sent, question, replaces });
    batch(() => {
      this.#turns.value = [...this.#turns.peek(), turn];
      this.lastSent.value = turn;
    });
    const { request, idempotencyKey } = sent;
    const onAccepted = (accepted: AcceptedChat) => this.#accepted(turn, accepted);
    this.#watch(turn, (signal) => client.peek().chat(request, { signal, idempotencyKey, onAccepted }));
  }

  #accepted(turn: Turn, { jobId, sessionId }: AcceptedChat): void {
    if (this.#left.signal.aborted) return;
    batch(() => {
      turn.accepted(jobId);
      // What was sent before without an answer may have been found by its job.
      const others = this.#turns.peek().filter((other) => other === turn || other.jobId.peek() !== jobId);
      for (const other of this.#turns.peek()) if (!others.includes(other)) other.leave();
      this.#turns.value = others;
      if (this.sessionId.peek() === null) this.sessionId.value = sessionId;
    });
    this.#watchOldest();
    if (sessionId === null || this.session.peek() !== null) return;
    this.#onSession(sessionId);
    void this.reload();
  }

  #watch(turn: Turn, open: (signal: AbortSignal) => JobStream): void {
    void turn.watch(open).then((wasLeft) => (wasLeft ? undefined : this.#ended(turn)));
  }

  /** Jobs of a session run one by one, so one stream is enough, and leaves the browser's connections to the rest. */
  #watchOldest(): void {
    if (this.#left.signal.aborted) return;
    const jobs = this.#jobs.peek();
    // A job that no list has had yet is the newest.
    const createdAt = ({ jobId }: Turn) => jobs.get(jobId.peek() ?? "")?.created_at ?? "9";
    const open = this.#turns.peek().filter((turn) => !turn.isEnded && turn.jobId.peek() !== null);
    const oldest = open.find((turn) => open.every((other) => createdAt(turn) <= createdAt(other)));
    for (const turn of open) if (turn !== oldest) turn.leave();
    if (oldest === undefined || oldest.isWatched) return;
    const jobId = oldest.jobId.peek() as string;
    this.#watch(oldest, (signal) => client.peek().events(jobId, { signal }));
  }

  async #ended(turn: Turn): Promise<void> {
    if (this.#left.signal.aborted) return;
    this.#turns.value = [...this.#turns.peek()];
    // Otherwise its stream was given up, and the next poll begins it anew.
    if (turn.isEnded) this.#watchOldest();
    const sessionId = this.sessionId.peek();
    if (sessionId === null) return;
    try {
      await this.#refresh(sessionId);
    } catch {
      for (const turn of this.#turns.peek()) turn.isSettled ||= turn.isEnded;
      this.#turns.value = [...this.#turns.peek()];
    }
  }

  /** Stops the running job, whose stream ends by itself; or the sending. */
  async stop(): Promise<void> {
    const turn = this.running.peek();
    const jobId = turn?.jobId.peek();
    if (jobId == null) {
      turn?.giveUp();
      if (turn) await this.#ended(turn);
      return;
    }
    try {
      await client.peek().cancel(jobId);
    } catch (error) {
      notifyError(error);
    }
  }
}

const isActive = ({ status }: Job): boolean => status === "queued" || status === "running" || status === "waiting";

/** Not `randomUUID`, which pages without TLS lack. */
const newKey = (): string => crypto.getRandomValues(new Uint32Array(4)).join("-");
