/** Requests to one API with one key, sent again while that may help. */
import { AgentPaasError, errorOf, invalidResponse } from "./errors.ts";
import { Exchange } from "./exchange.ts";
import { DEFAULT_LIMITS, Retries, type RetryLimits } from "./retries.ts";

export type ClientOptions = {
  /**
   * Where the API is, such as `https://agents.example.com`; a path is kept in front of `/api/v1`. Default: the origin
   * of the page.
   */
  readonly baseUrl?: string | undefined;
  /** Without one, whatever stands before the API must add it. */
  readonly apiKey?: string | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Default: the global one. */
  readonly fetch?: typeof fetch | undefined;
  /** How long to go on trying, for requests and for streams that were cut. */
  readonly retry?: Partial<RetryLimits> | undefined;
  /**
   * How long a connection may be silent before it counts as lost, ms. Streams have a heartbeat every 15 s. Default:
   * 45,000.
   */
  readonly silenceMs?: number | undefined;
};

export type CallOptions = {
  /** Ends the call, or the watching of a stream. It cancels no job: `cancel` does. */
  readonly signal?: AbortSignal | undefined;
};

export type JobOptions = CallOptions & {
  /** Requests with the same key and body are one job. Default: a new key for each call. */
  readonly idempotencyKey?: string | undefined;
};

type Query = Readonly<Record<string, string | number | undefined>>;

export type Call = CallOptions & {
  readonly query?: Query | undefined;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How long the server holds its answer at most, ms, beside `silenceMs`. Default: 0. */
  readonly heldMs?: number | undefined;
  /** Of which a body that is no error is an answer. Default: none. */
  readonly alsoStatus?: number | undefined;
  /** In place of `fetch`. */
  readonly send?: (url: string, headers: Headers, exchange: Exchange) => Promise<Response>;
};

/** `body` is undefined for a 204. */
export type Answer<Body> = { readonly status: number; readonly body: Body };

const BASE_PATH = "/api/v1";
const DEFAULT_SILENCE_MS = 45_000;

export class Transport {
  readonly retryLimits: RetryLimits;
  readonly #base: string;
  readonly #headers: Headers;
  readonly fetch: typeof fetch;
  readonly hasOwnFetch: boolean;
  readonly #silenceMs: number;

  /** Throws a `TypeError` for an address or a header that cannot be one. */
  constructor({ baseUrl = "/", apiKey, headers, fetch: own, retry, silenceMs = DEFAULT_SILENCE_MS }: ClientOptions) {
    const { origin, pathname } = new URL(
      baseUrl,
      (globalThis as { readonly location?: { readonly href: string } }).location?.href,
    );
    this.#base = origin + (pathname.endsWith("/") ? pathname.slice(0, -1) : pathname) + BASE_PATH;
    this.#headers = new Headers(headers);
    if (apiKey !== undefined) this.#headers.set("Authorization", `Bearer ${apiKey}`);
    this.fetch = own ?? ((...request) => globalThis.fetch(...request));
    this.hasOwnFetch = own !== undefined;
    this.#silenceMs = silenceMs;
    this.retryLimits = { ...DEFAULT_LIMITS, ...retry };
  }

  /** Beyond this time a connection has lasted: what cuts it now is a new failure. */
  get settledMs(): number {
    return this.#silenceMs / 4;
  }

  openExchange({ signal, heldMs = 0 }: Pick<Call, "signal" | "heldMs">): Exchange {
    return new Exchange(signal, this.#silenceMs + heldMs);
  }

  /** One request, sent once. Throws for every status but those of success. */
  async exchange(exchange: Exchange, method: string, path: string, call: Call): Promise<Response> {
    const headers = new Headers(this.#headers);
    for (const [name, value] of Object.entries(call.headers ?? {})) headers.set(name, value);
    if (call.json !== undefined) headers.set("Content-Type", "application/json");
    const url = this.#base + path + textOf(call.query ?? {});
    const body = call.json === undefined ? null : JSON.stringify(call.json);
    const answer = call.send
      ? call.send(url, headers, exchange)
      : this.fetch(url, { method, headers, body, signal: exchange.signal });
    const response = await exchange.within(answer);
    if (response.ok) return response;
    const text = await exchange.text(response);
    if (response.status === call.alsoStatus && isAnswer(text)) return new Response(text, response);
    throw errorOf(response, text);
  }

  /** Sends until there is an answer that another try would not change. */
  async call<Body>(method: string, path: string, call: Call = {}): Promise<Answer<Body>> {
    const retries = new Retries(this.retryLimits, call.signal);
    for (let isFirst = true; ; isFirst = false) {
      const exchange = this.openExchange(call);
      try {
        const response = await this.exchange(exchange, method, path, call);
        const { status } = response;
        if (status === 204) return { status, body: undefined as Body };
        return { status, body: parse(response, await exchange.text(response)) as Body };
      } catch (error) {
        // The DELETE whose answer was lost has deleted it.
        const isGone = !isFirst && method === "DELETE" && error instanceof AgentPaasError && error.status === 404;
        if (isGone) return { status: 204, body: undefined as Body };
        await retries.after(error);
      } finally {
        exchange.close();
      }
    }
  }

  async json<Body>(method: string, path: string, call: Call = {}): Promise<Body> {
    return (await this.call<Body>(method, path, call)).body;
  }
}

function isAnswer(text: string): boolean {
  try {
    return !("error" in JSON.parse(text));
  } catch {
    return false;
  }
}

function parse(response: Response, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidResponse(response);
  }
}

function textOf(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return text && `?${text}`;
}

/** Not `randomUUID`, which pages without TLS lack. */
const newKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** The same for all tries of one call, so that a lost answer starts no second job. */
export const idempotent = ({ idempotencyKey = newKey() }: JobOptions): Readonly<Record<string, string>> => ({
  "Idempotency-Key": idempotencyKey,
});
