/**
 * A provider on loopback: answers each request with the next answer of its script, which the request names by the first
 * part of its path, or by its model.
 */
import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { startLoopbackServer, writePieces } from "../support/loopback-server.ts";
import type { ProviderAnswer } from "./provider-case.ts";

type Json = { readonly model?: string };

type Script = { readonly answers: readonly ProviderAnswer[]; readonly isCut: boolean; readonly sent: unknown[] };

export async function serveAnswers() {
  const scripts = new Map<string, Script>();
  const { origin, close } = await startLoopbackServer((text, response, { url }) => {
    const body: Json = JSON.parse(text);
    const script = scripts.get(url?.split("/")[1] ?? "") ?? scripts.get(body.model ?? "");
    const answer = script?.answers[script.sent.length];
    script?.sent.push(body);
    if (answer === undefined) response.writeHead(404).end("no further answer");
    else void write(answer, response, script?.isCut === true);
  });

  return {
    /** For requests that name their script by the model. */
    baseUrl: `${origin}/v1`,
    /** The base URL of the answers, and the bodies of the requests so far. With `isCut` every write has 7 bytes. */
    add(answers: readonly ProviderAnswer[], isCut: boolean, key = `${scripts.size}`) {
      const sent: unknown[] = [];
      scripts.set(key, { answers, isCut, sent });
      return { baseUrl: `${origin}/${key}/v1`, sent };
    },
    close,
  };
}

async function write(answer: ProviderAnswer, response: ServerResponse, isCut: boolean): Promise<void> {
  const text = answer.events === undefined ? textOf(answer.body ?? "") : answer.events.map(eventOf).join("");
  const bytes = answer.gzip ? gzipSync(text) : Buffer.from(text);
  response.writeHead(answer.status ?? 200, {
    "content-type": typeOf(answer),
    ...encodingOf(answer),
    ...answer.headers,
  });
  await writePieces(response, bytes, isCut);
  if (answer.staysOpen) return;
  // The end of the connection without the end of the body.
  if (answer.breaksOff) response.socket?.end();
  else response.end();
}

const eventOf = (event: object | string) => (typeof event === "string" ? event : `data: ${JSON.stringify(event)}\n\n`);

const textOf = (body: object | string) => (typeof body === "string" ? body : JSON.stringify(body));

const encodingOf = ({ gzip }: ProviderAnswer) => (gzip ? { "content-encoding": "gzip" } : {});

function typeOf({ events, body }: ProviderAnswer): string {
  if (events !== undefined) return "text/event-stream";
  if (typeof body === "object") return "application/json";
  return body?.startsWith("<") ? "text/html" : "text/plain";
}
