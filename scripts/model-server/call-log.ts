/**
 * Records the calls of the model and how they ended, so that tests can assert on them. It is bounded: it keeps the last
 * 20,000 calls, and of the last 200 also the messages.
 */
import { type ChatRequest, lastUserText, type Message } from "./chat-request.ts";
import type { Fault } from "./step.ts";
import { cut } from "./text.ts";

const KEPT_CALLS = 20_000;
const KEPT_MESSAGES = 200;
const SHOWN_CHARACTERS = 200;
/**
 * `contains` searches this many characters at both ends of the last user message: a question may follow a long context.
 */
const SEARCHED_CHARACTERS = 1_000;

export type CallEnd = "done" | "client_closed" | "fault";

/** Times are milliseconds since 1970 with fractions. */
export type Call = {
  readonly id: number;
  readonly at_ms: number;
  readonly model: string;
  readonly last_user: string;
  readonly messages_count: number;
  readonly temperature: number | null;
  readonly max_tokens: number | null;
  /** Names of the tools offered. */
  readonly tools: readonly string[];
  readonly stream: boolean;
  readonly fault: Fault | null;
  readonly tokens_sent: number;
  readonly first_token_at_ms: number | null;
  readonly ended: CallEnd | "open";
  readonly ended_at_ms: number | null;
};

export type CallDetails = Call & {
  /** The messages as sent; null once there are 200 newer calls. */
  readonly messages: readonly Message[] | null;
};

export type CallStats = {
  readonly open_streams: number;
  readonly peak_open_streams: number;
  readonly total_calls: number;
  readonly tokens_sent: number;
};

export type OpenCall = { -readonly [Field in keyof Call]: Call[Field] };

type Entry = {
  readonly call: OpenCall;
  readonly searched: string;
  messages: readonly Message[] | null;
};

export class CallLog {
  /** A ring buffer: call `id` is stored at `id % KEPT_CALLS`. */
  #entries: Entry[] = [];
  #nextId = 1;
  #open = 0;
  #peakOpen = 0;
  #total = 0;
  #tokensSent = 0;
  readonly #keepsCalls: boolean;

  /** Without `keepsCalls`, calls are only counted. */
  constructor({ keepsCalls = true }: { keepsCalls?: boolean } = {}) {
    this.#keepsCalls = keepsCalls;
  }

  open(request: ChatRequest, fault: Fault | undefined): OpenCall {
    const text = lastUserText(request.messages);
    const call: OpenCall = {
      id: this.#nextId++,
      at_ms: epochMs(),
      model: request.model,
      last_user: cut(text, SHOWN_CHARACTERS),
      messages_count: request.messages.length,
      temperature: request.temperature ?? null,
      max_tokens: request.max_completion_tokens ?? request.max_tokens ?? null,
      tools: request.tools?.map((tool) => tool.function.name) ?? [],
      stream: request.stream ?? false,
      fault: fault ?? null,
      tokens_sent: 0,
      first_token_at_ms: null,
      ended: "open",
      ended_at_ms: null,
    };
    if (this.#keepsCalls) {
      this.#entries[call.id % KEPT_CALLS] = { call, searched: bothEnds(text), messages: request.messages };
      const aged = this.#entry(call.id - KEPT_MESSAGES);
      if (aged) aged.messages = null;
    }
    this.#total++;
    this.#peakOpen = Math.max(this.#peakOpen, ++this.#open);
    return call;
  }

  sent(call: OpenCall, tokens: number): void {
    call.first_token_at_ms ??= epochMs();
    call.tokens_sent += tokens;
    this.#tokensSent += tokens;
  }

  end(call: OpenCall, how: CallEnd): void {
    if (call.ended !== "open") return;
    call.ended = how;
    call.ended_at_ms = epochMs();
    this.#open--;
  }

  /** Oldest first. */
  list(contains = ""): Call[] {
    return this.#entries
      .filter((entry) => entry.searched.includes(contains))
      .map((entry) => entry.call)
      .sort((a, b) => a.id - b.id);
  }

  details(id: number): CallDetails | undefined {
    const entry = this.#entry(id);
    return entry && { ...entry.call, messages: entry.messages };
  }

  stats(): CallStats {
    return {
      open_streams: this.#open,
      peak_open_streams: this.#peakOpen,
      total_calls: this.#total,
      tokens_sent: this.#tokensSent,
    };
  }

  /** Removes all calls; open calls continue and still count as open. */
  clear(): void {
    this.#entries = [];
    this.#peakOpen = this.#open;
    this.#total = 0;
    this.#tokensSent = 0;
  }

  #entry(id: number): Entry | undefined {
    const entry = this.#entries[id % KEPT_CALLS];
    return entry?.call.id === id ? entry : undefined;
  }
}

function bothEnds(text: string): string {
  if (text.length <= 2 * SEARCHED_CHARACTERS) return text;
  return `${cut(text, SEARCHED_CHARACTERS)}${Buffer.from(text.slice(-SEARCHED_CHARACTERS))}`;
}

function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
