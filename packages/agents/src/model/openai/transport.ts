/**
 * The HTTP transport of the `openai` package. A streaming response is not wrapped into a web stream, which would cost
 * more CPU than everything else that a worker does with a token; `bodyOf` gives its reader the Node stream instead.
 */

import type { Readable } from "node:stream";
import { wellFormedJson } from "@agent-paas/shared/text.ts";
import { type Dispatcher, interceptors, request } from "undici";
import { decodeBody } from "../../http/decode-body.ts";
import { createHttpAgent, type ProxySettings } from "../../http/http-agent.ts";

const MAX_REDIRECTIONS = 5;
/** Of a whole answer, such as the vectors of many texts. */
const MAX_BODY_BYTES = 128 * 1024 * 1024;
/** Of a failure, of which only the beginning is read. */
const MAX_FAILURE_BYTES = 256 * 1024;

/** Recognises a streaming request by its JSON body. Inside a JSON string the quotes would be escaped. */
const STREAM_WANTED = /"stream":true/;

export type Transport = {
  readonly fetch: typeof fetch;
  /** The unread body of a streaming response; undefined for others, whose `Response` has the body. */
  bodyOf(response: Response): Readable | undefined;
  close(): Promise<void>;
};

/** `connectMs` limits the connecting; the caller limits the response by its signal. */
export function createTransport(connectMs: number, proxy?: ProxySettings): Transport {
  const agent = createHttpAgent({ connectMs, proxy, headersTimeout: 0, bodyTimeout: 0 });
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: MAX_REDIRECTIONS }));
  const bodies = new WeakMap<Response, Readable>();

  async function send(url: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const asked = typeof init.body === "string" ? wellFormedJson(init.body) : null;
    const answer = await request(String(url), {
      dispatcher,
      method: (init.method ?? "GET") as Dispatcher.HttpMethod,
      // Compression would only delay tokens; some gateways compress nevertheless.
      headers: { ...Object.fromEntries(new Headers(init.headers)), "accept-encoding": "identity" },
      body: asked,
      signal: init.signal ?? null,
    });
    const { statusCode, headers } = answer;
    const body = decodeBody(answer.body, headers["content-encoding"]);
    const head = { status: statusCode, headers: flatten(headers) };
    if (statusCode >= 300) return new Response(await readFailure(body), head);
    const isStream = asked !== null && STREAM_WANTED.test(asked);
    if (!isStream || String(headers["content-type"]).startsWith("application/json"))
      return new Response(await readWhole(body), head);
    const response = new Response(null, head);
    bodies.set(response, body);
    return response;
  }

  return { fetch: send, bodyOf: (response) => bodies.get(response), close: () => agent.destroy() };
}

async function readWhole(body: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.byteLength;
    if (bytes > MAX_BODY_BYTES) throw new Error(`the provider's answer exceeds ${MAX_BODY_BYTES} bytes`);
  }
  return textOf(pieces);
}

/** What has arrived counts: the status says enough if the rest is missing. */
async function readFailure(body: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      pieces.push(piece);
      bytes += piece.byteLength;
      if (bytes > MAX_FAILURE_BYTES) break;
    }
  } catch {
    // The connection broke, or the body is not of the coding that its head names.
  }
  return textOf(pieces);
}

const textOf = (pieces: readonly Buffer[]): string => new TextDecoder().decode(Buffer.concat(pieces));

const flatten = (headers: Readonly<Record<string, string | string[] | undefined>>): [string, string][] =>
  Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().map((one): [string, string] => [name, one]));
