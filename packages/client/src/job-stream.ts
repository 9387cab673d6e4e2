/**
 * The events of one job, over as many connections as it takes. Each event comes once, in order: a connection begins
 * behind the last event that was seen, and what comes a second time all the same is left out.
 */
import { AgentPaasError, connectionLost, invalidResponse } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import { awaitJob } from "./jobs.ts";
import { Retries } from "./retries.ts";
import { SseParser } from "./sse.ts";
import type { Call, Transport } from "./transport.ts";
import type { DoneEvent, StreamEvent } from "./wire/events.ts";

/** How a job ended, with the text of its answer. */
export type JobOutcome = DoneEvent["data"] & { readonly text: string };

/** `sessionId` is null for a job outside any session. */
export type AcceptedChat = { readonly jobId: string; readonly sessionId: string | null };

export type StreamStart =
  /** The request that starts the job. */
  | {
      readonly path: string;
      readonly call: Call;
      readonly onAccepted?: ((accepted: AcceptedChat) => void) | undefined;
    }
  /** A job that there is, and the last event that was seen; 0 for none. */
  | { readonly jobId: string; readonly after: number; readonly call: Call };

/** The longest wait that a server may ask for, ms. */
const LONGEST_RETRY_MS = 30_000;
/** How long the end of a response may come behind `done`, ms. Then its connection is used again. */
const END_WITHIN_MS = 500;

export class JobStream implements AsyncIterableIterator<StreamEvent> {
  readonly #transport: Transport;
  readonly #start: StreamStart;
  readonly #events: AsyncGenerator<StreamEvent, undefined>;
  /** Aborts when the caller's signal does, and when the stream is left. */
  readonly #watching = new AbortController();
  #isLeft = false;
  #jobId: string | null;
  #sessionId: string | null = null;
  #lastEventId: number;
  #text = "";
  #failure: AgentPaasError | null = null;
  #end: DoneEvent["data"] | null = null;
  #retryMs: number | undefined;

  constructor(transport: Transport, start: StreamStart) {
    this.#transport = transport;
    this.#start = start;
    this.#jobId = "jobId" in start ? start.jobId : null;
    this.#lastEventId = "after" in start ? start.after : 0;
    this.#events = this.#follow();
  }

  /** Null until the job is accepted, which may be long before the first event. */
  get jobId(): string | null {
    return this.#jobId;
  }

  /** Null until the job is accepted, and for a job outside any session. */
  get sessionId(): string | null {
    return this.#sessionId;
  }

  /** The answer so far, as far as its events were read: a `reset` has replaced what came before it. */
  get text(): string {
    return this.#text;
  }

  /** What `events` takes to go on from here later, and elsewhere. */
  get lastEventId(): number {
    return this.#lastEventId;
  }

  /**
   * Throws an `AgentPaasError` if the request is refused, the job is gone, or reconnecting is given up; and the reason
   * of the signal that was aborted. A failed job is no such error: its events are `error` and `done`.
   */
  next(): Promise<IteratorResult<StreamEvent, undefined>> {
    return this.#events.next();
  }

  /** Drops the connection, and ends a `next` that waits; the job goes on. */
  return(): Promise<IteratorResult<StreamEvent, undefined>> {
    this.#isLeft = true;
    this.#watching.abort();
    return this.#events.return(undefined);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * Reads what is left, and returns how the job ended. Throws what a failed job failed with; of a cancelled job, `text`
   * is what there was. `text` is whole for a stream that began behind some events, too.
   */
  async result(): Promise<JobOutcome> {
    for await (const _ of this.#events);
    const isWhole = "path" in this.#start || this.#start.after === 0;
    const end = (isWhole && this.#end) || (await this.#readEnd());
    if (this.#failure !== null) throw this.#failure;
    return { ...end, text: this.#text };
  }

  async *#follow(): AsyncGenerator<StreamEvent, undefined> {
    const caller = this.#start.call.signal;
    caller?.throwIfAborted();
    const leave = () => this.#watching.abort(caller?.reason);
    caller?.addEventListener("abort", leave);
    try {
      yield* this.#connections(this.#watching.signal);
    } catch (error) {
      if (!this.#isLeft) throw error;
    } finally {
      caller?.removeEventListener("abort", leave);
    }
    return undefined;
  }

  async *#connections(signal: AbortSignal): AsyncGenerator<StreamEvent, undefined> {
    const retries = new Retries(this.#transport.retryLimits, signal);
    while (this.#end === null) {
      const exchange = this.#transport.openExchange({ signal });
      let answeredAt = Number.POSITIVE_INFINITY;
      try {
        const response = await this.#open(exchange);
        answeredAt = exchange.heardAt;
        if (response.status === 204) return undefined;
        for await (const event of this.#read(exchange, response)) {
          retries.succeeded();
          yield event;
        }
        if (this.#end === null) throw connectionLost("The stream ended before the job did");
      } catch (error) {
        if (exchange.heardAt - answeredAt > this.#transport.settledMs) retries.succeeded();
        await retries.after(error, this.#retryMs);
      } finally {
        exchange.close();
      }
    }
    return undefined;
  }

  /** Starts the job, or goes on behind the last event. A start is repeated as it was: its key makes it one job. */
  async #open(exchange: Exchange): Promise<Response> {
    const start = this.#start;
    if (this.#jobId === null && "path" in start) {
      const response = await this.#transport.exchange(exchange, "POST", start.path, start.call);
      const jobId = response.headers.get("x-job-id");
      const sessionId = response.headers.get("x-session-id");
      this.#jobId = jobId;
      this.#sessionId = sessionId;
      if (jobId !== null) start.onAccepted?.({ jobId, sessionId });
      return response;
    }
    const headers = { "Last-Event-ID": String(this.#lastEventId) };
    return this.#transport.exchange(exchange, "GET", `/jobs/${this.#jobId}/events`, { headers });
  }

  async *#read(exchange: Exchange, response: Response): AsyncGenerator<StreamEvent> {
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
    if (!isStream || response.body === null) throw invalidResponse(response);
    this.#sessionId ??= response.headers.get("x-session-id");
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    const parser = new SseParser();
    for (;;) {
      const { value, done } = await exchange.within(reader.read());
      if (done) return;
      for (const frame of parser.read(decoder.decode(value, { stream: true }))) {
        if ("retryMs" in frame) {
          this.#retryMs = Math.min(frame.retryMs, LONGEST_RETRY_MS);
          continue;
        }
        const id = Number(frame.id);
        if (!(id > this.#lastEventId)) continue;
        const event = { id, event: frame.event, data: parseData(frame.data) } as StreamEvent;
        this.#lastEventId = id;
        this.#apply(event);
        yield event;
        // More events may have come with it, which whoever has aborted does not want.
        this.#start.call.signal?.throwIfAborted();
      }
      if (this.#end !== null) {
        await exchange.within(reader.read(), END_WITHIN_MS).catch(() => {});
        return;
      }
    }
  }

  #apply(event: StreamEvent): void {
    if (event.event === "message") {
      const { type, content } = event.data;
      this.#text = type === "reset" ? content : this.#text + content;
    } else if (event.event === "error") {
      this.#failure = new AgentPaasError(event.data.code, event.data.message, event.data);
    } else if (event.event === "done") {
      this.#end = event.data;
      this.#jobId = event.data.job_id;
      this.#sessionId = event.data.session_id;
    }
  }

  /** Of a stream that was left before its `done`, or that began behind it. */
  async #readEnd(): Promise<DoneEvent["data"]> {
    const { signal } = this.#start.call;
    if (this.#jobId === null) throw connectionLost("The stream was left before its job was accepted");
    const job = await awaitJob(this.#transport, this.#jobId, { signal });
    const { id: job_id, session_id, usage, result, error } = job;
    this.#text = result?.content ?? this.#text;
    if (error !== null) this.#failure ??= new AgentPaasError(error.code, error.message);
    const { finish_reason = null, citations, tool_calls } = result ?? {};
    const status = job.status as DoneEvent["data"]["status"];
    return { job_id, session_id, usage, finish_reason, citations, tool_calls, status };
  }
}

/** A frame that was damaged on its way is asked for again. */
function parseData(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (cause) {
    throw connectionLost("An event cannot be read", cause);
  }
}
