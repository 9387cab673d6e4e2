/**
 * The `fetch` of the SDK's HTTP transports, which read responses whole and refuse what is not quite the protocol's.
 *
 * 1. An answer, and an event of a stream, has the SDK's own limit for stdio. Answers are asked for uncompressed, and
 *    others are refused: `fetch` undoes as many stacked codings as a server names.
 * 2. Messages are mended (mend-message.ts) on their way. A stream that ends without an answer, and cannot be resumed,
 *    gets one that says so; the SDK would wait for the call's time limit.
 * 3. A server that answers a GET with something else than events has no stream for it. The SDK would ask again forever.
 */
import { isFields } from "@agent-paas/shared/json/fields.ts";
import { STDIO_DEFAULT_MAX_BUFFER_SIZE as MAX_BYTES } from "@modelcontextprotocol/sdk/shared/stdio.js";
import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { packMessage } from "./exact-answers.ts";
import { brokenAnswer, describeError } from "./mcp-errors.ts";
import { readMessages } from "./mend-message.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export const serverFetch: FetchLike = async (url, init) => {
  const headers = new Headers(init?.headers);
  headers.set("accept-encoding", "identity");
  const response = await fetch(url, { ...init, headers });
  const { body } = response;
  if (body === null) return response;
  if ((response.headers.get("content-encoding") ?? "identity") !== "identity") {
    await body.cancel();
    throw new Error("an answer of the server is compressed, although it was asked for as it is");
  }
  const [type = ""] = (response.headers.get("content-type") ?? "").toLowerCase().split(";");
  const isStream = type.trim() === "text/event-stream";
  const method = init?.method ?? "GET";
  if (response.ok && method === "GET" && !isStream) {
    await body.cancel();
    return new Response(null, { status: 405 });
  }
  const answerTo = requestIn(init?.body);
  if (!response.ok || (method === "POST" && answerTo === undefined)) {
    return new Response(body.pipeThrough(limited()), response);
  }
  if (isStream) return new Response(ReadableStream.from(mendedEvents(body, answerTo)), response);
  if (!ANSWER_TYPES.has(type.trim())) return new Response(body.pipeThrough(limited()), response);
  const answer = new Response(body.pipeThrough(limited()).pipeThrough(mended(answerTo)), response);
  answer.headers.set("content-type", "application/json");
  return answer;
};

/** Some servers do not name the type of their JSON. */
const ANSWER_TYPES = new Set(["application/json", "application/json-rpc", "text/json", "text/plain", ""]);

/** The id of the request that a body holds. */
function requestIn(body: unknown): number | undefined {
  const message: unknown = typeof body === "string" ? JSON.parse(body) : null;
  return isFields(message) && typeof message.method === "string" && typeof message.id === "number"
    ? message.id
    : undefined;
}

function limited(): TransformStream<Bytes, Bytes> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > MAX_BYTES) throw new Error(`an answer of the server exceeds ${MAX_BYTES} bytes`);
      controller.enqueue(chunk);
    },
  });
}

function mended(answerTo: number | undefined): TransformStream<Bytes, Bytes> {
  const pieces: Bytes[] = [];
  return new TransformStream({
    transform(chunk) {
      pieces.push(chunk);
    },
    flush(controller) {
      const text = mendText(Buffer.concat(pieces).toString(), answerTo);
      controller.enqueue(new TextEncoder().encode(text));
    },
  });
}

/** What cannot be mended stays as it is, so that the SDK says what is wrong with it. */
function mendText(text: string, answerTo: number | undefined): string {
  const texts = mendedTexts(text, answerTo).map(([json]) => json);
  return texts.length === 1 ? String(texts[0]) : `[${texts.join(",")}]`;
}

/** The messages in a text, each as JSON, with whether it is the answer to the request. */
function mendedTexts(text: string, answerTo: number | undefined): [json: string, isAnswer: boolean][] {
  try {
    const messages = readMessages(text, () => {}, answerTo);
    if (messages.length > 0) {
      return messages.map((each) => [packMessage(each), !("method" in each) && each.id === answerTo]);
    }
  } catch {
    // No JSON, or nested too deeply to be written again.
  }
  return [[text, false]];
}

async function* mendedEvents(body: ReadableStream<Bytes>, answerTo: number | undefined): AsyncGenerator<Bytes> {
  const encoder = new TextEncoder();
  let isResumable = false;
  let isAnswered = false;
  let retry = "";
  let broken = "ended";
  const onRetry = (ms: number) => {
    retry = `retry: ${ms}\n`;
  };
  const parser = new EventSourceParserStream({ maxBufferSize: MAX_BYTES, onRetry });
  try {
    for await (const { id, event, data } of body.pipeThrough(new TextDecoderStream()).pipeThrough(parser)) {
      isResumable ||= Boolean(id);
      const head = `${retry}${id === undefined ? "" : `id: ${id}\n`}${event === undefined ? "" : `event: ${event}\n`}`;
      retry = "";
      const isMessage = data !== "" && (event === undefined || event === "message");
      for (const [text, isAnswer] of isMessage ? mendedTexts(data, answerTo) : [[data, false] as const]) {
        isAnswered ||= isAnswer;
        yield encoder.encode(`${head}data: ${text.replaceAll("\n", "\ndata: ")}\n\n`);
      }
    }
  } catch (error) {
    if (answerTo === undefined || isResumable || isAnswered) throw error;
    broken = `broke off (${describeError(error)})`;
  }
  if (retry !== "") yield encoder.encode(`${retry}\n`);
  if (answerTo !== undefined && !isResumable && !isAnswered) {
    yield encoder.encode(`data: ${JSON.stringify(brokenAnswer(answerTo, broken))}\n\n`);
  }
}
