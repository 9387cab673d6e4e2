/**
 * The HTTP transport of the `openai` package. A streaming response is not wrapped into a web stream, which would cost
 * more CPU than everything else that a worker does with a token; `bodyOf` gives its reader the Node stream instead.
 */
import type { Readable } from "node:stream";
import { type Dispatcher, interceptors, request } from "undici";
import { createHttpAgent } from "../../http/http-agent.ts";

const MAX_REDIRECTIONS = 5;

/** Recognises a streaming request by its JSON body. Inside a JSON string the quotes would be escaped. */
const STREAM_WANTED = /"stream":true/;

export type Transport = {
  readonly fetch: typeof fetch;
  /** The unread body of a streaming response; undefined for others, whose `Response` has the body. */
  bodyOf(response: Response): Readable | undefined;
  close(): Promise<void>;
};

/** `connectMs` limits the connecting; the caller limits the response by its signal. */
export function createTransport(connectMs: number): Transport {
  const agent = createHttpAgent({ connectMs, headersTimeout: 0, bodyTimeout: 0 });
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: MAX_REDIRECTIONS }));
  const bodies = new WeakMap<Response, Readable>();

  async function send(url: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const { statusCode, headers, body } = await request(String(url), {
      dispatcher,
      method: (init.method ?? "GET") as Dispatcher.HttpMethod,
      // `identity` refuses compression, because nothing here decompresses.
      headers: { ...Object.fromEntries(new Headers(init.headers)), "accept-encoding": "identity" },
      body: init.body as string,
      signal: init.signal ?? null,
    });
    const head = { status: statusCode, headers: flatten(headers) };
    const isStream = statusCode < 300 && typeof init.body === "string" && STREAM_WANTED.test(init.body);
    if (!isStream || String(headers["content-type"]).startsWith("application/json"))
      return new Response(await body.text(), head);
    const response = new Response(null, head);
    bodies.set(response, body);
    return response;
  }

  return { fetch: send, bodyOf: (response) => bodies.get(response), close: () => agent.destroy() };
}

const flatten = (headers: Readonly<Record<string, string | string[] | undefined>>): [string, string][] =>
  Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().map((one): [string, string] => [name, one]));
