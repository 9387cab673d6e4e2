/**
 * One question through each door, and what its stream must be: the protocol's requests as they are, without any SDK, so
 * that a test says at which frame a connection breaks. Each frame is held against the OpenAPI document.
 */
import { randomUUID } from "node:crypto";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { expect } from "vitest";
import { answerChecks } from "./answer-checks.ts";
import type { Json } from "./api-client.ts";
import { KEYS } from "./platform.ts";
import { shownText } from "./sse-client.ts";

/** `data` is JSON, or a text that is none: `[DONE]`; null of a frame without data. */
export type Frame = { readonly id?: string; readonly event: string; readonly data: Json };

type Sent = { readonly method: "GET" | "POST"; readonly path: string; readonly init: RequestInit };

type Asked = {
  readonly begin: Sent;
  /** What a client sends whose connection broke behind this frame, until one of them is answered with a stream. */
  resume(jobId: string, last: Frame): readonly Sent[];
};

export type Door = {
  readonly name: string;
  ask(message: string): Asked;
  /** Whether a resumed stream has only what follows the last frame that was seen; else it has all of it again. */
  readonly goesOn: boolean;
  /** The last frame behind which there are others for certain, in a stream of at least 13 pieces of text. */
  readonly mostSeen: number;
  /** The number of a frame, which rises strictly; null where the protocol has none. */
  position(frame: Frame): number | null;
  text(frames: readonly Frame[]): string;
  isEnd(data: Json): boolean;
};

const AUTHORIZATION = { Authorization: `Bearer ${KEYS.alice}` };

const get = (path: string, headers: Record<string, string> = {}): Sent => ({
  ...{ method: "GET", path },
  init: { headers: { ...AUTHORIZATION, ...headers } },
});

const post = (path: string, body: object, headers: Record<string, string> = {}): Sent => ({
  ...{ method: "POST", path },
  init: {
    method: "POST",
    headers: { ...AUTHORIZATION, "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  },
});

const AGENT = "chat_basic";
const joined = (frames: readonly Frame[], textOf: (data: Json) => string | undefined): string =>
  frames.map(({ data }) => textOf(data) ?? "").join("");
const idNumber = ({ id }: Frame): number | null => (id === undefined ? null : Number(id));
const noNumber = () => null;

const native: Door = {
  name: "the native wire",
  ask: (message) => ({
    begin: post("/api/v1/chat/completions", { agent_type: AGENT, message }),
    resume: (jobId, { id = "" }) => [get(`/api/v1/jobs/${jobId}/events`, { "Last-Event-ID": id })],
  }),
  ...{ goesOn: true, mostSeen: 12, position: idNumber },
  text: (frames) => shownText(frames.map(({ event, data }) => ({ id: 0, event, data }))),
  isEnd: ({ status, usage }) => status === "completed" && usage !== undefined,
};

const chatCompletions: Door = {
  name: "OpenAI chat completions",
  ask(message) {
    const body = { model: AGENT, messages: [{ role: "user", content: message }], stream: true };
    const begin = post("/v1/chat/completions", body, { "Idempotency-Key": randomUUID() });
    return { begin, resume: () => [begin] };
  },
  ...{ goesOn: false, mostSeen: 12, position: noNumber },
  text: (frames) => joined(frames, ({ choices }) => choices?.[0]?.delta.content),
  isEnd: ({ choices }) => choices?.[0]?.finish_reason === "stop",
};

const responses: Door = {
  name: "OpenAI responses",
  ask: (input) => ({
    begin: post("/v1/responses", { model: AGENT, input, background: true, stream: true }),
    resume: (jobId, { data }) => [
      get(`/v1/responses/resp_${jobId}?stream=true&starting_after=${data.sequence_number}`),
    ],
  }),
  ...{ goesOn: true, mostSeen: 12, position: ({ data }) => data.sequence_number },
  text: (frames) =>
    frames.reduce((text, { data: { type, delta, text: whole } }) => {
      // It completes what a client has that came back too late for the pieces.
      if (type === "response.output_text.done") return whole.startsWith(text) ? whole : text;
      return type === "response.output_text.delta" ? text + delta : text;
    }, ""),
  isEnd: ({ type }) => type === "response.completed",
};

const uiMessages: Door = {
  name: "AI SDK UI messages",
  ask(text) {
    const id = randomUUID();
    const path = `/api/v1/ui-messages/${AGENT}`;
    const messages = [{ id: randomUUID(), role: "user", parts: [{ type: "text", text }] }];
    const begin = post(path, { id, messages }, { "Idempotency-Key": randomUUID() });
    // A chat whose job has ended in the meantime has nothing to resume (204).
    return { begin, resume: () => [get(`${path}/${id}/stream`), begin] };
  },
  ...{ goesOn: false, mostSeen: 12, position: noNumber },
  text: (frames) => joined(frames, ({ type, delta }) => (type === "text-delta" ? delta : "")),
  isEnd: ({ type }) => type === "finish",
};

const agUi: Door = {
  name: "AG-UI",
  ask(content) {
    const messages = [{ id: randomUUID(), role: "user", content }];
    const run = { threadId: randomUUID(), runId: randomUUID(), messages, tools: [], context: [], forwardedProps: {} };
    const begin = post(`/api/v1/ag-ui/${AGENT}`, run);
    return { begin, resume: () => [begin] };
  },
  ...{ goesOn: false, mostSeen: 12, position: noNumber },
  text: (frames) => joined(frames, ({ type, delta }) => (type === "TEXT_MESSAGE_CONTENT" ? delta : "")),
  isEnd: ({ type }) => type === "RUN_FINISHED",
};

const mcp: Door = {
  name: "MCP",
  ask(message) {
    const headers = { Accept: "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25" };
    const params = { name: AGENT, arguments: { message }, _meta: { progressToken: 1 } };
    return {
      begin: post("/mcp", { jsonrpc: "2.0", id: 1, method: "tools/call", params }, headers),
      resume: (_jobId, { id = "" }) => [get("/mcp", { ...headers, "Last-Event-ID": id })],
    };
  },
  // What says where the stream begins, and the job's first thought.
  ...{ goesOn: true, mostSeen: 2, position: ({ data }) => data?.params?.progress ?? null },
  text: (frames) => joined(frames, (data) => data?.result?.content[0].text),
  isEnd: (data) => data?.result?.isError === false,
};

export const DOORS: readonly Door[] = [native, chatCompletions, responses, uiMessages, agUi, mcp];

export type DoorStream = {
  readonly jobId: string;
  /** What the connections have brought, the one that is open last. */
  readonly readings: readonly (readonly Frame[])[];
  /** Reads up to this frame, counted from 1 over all that the client has, and breaks the connection. */
  cutAt(frame: number): Promise<void>;
  /** Goes on at this API. */
  resumeAt(origin: string): Promise<void>;
  /** Reads to the end. */
  readAll(): Promise<void>;
};

/** Asks at this API, with the key of alice. */
export async function openDoor(door: Door, origin: string, message: string): Promise<DoorStream> {
  const asked = door.ask(message);
  const checks = await answerChecks();
  const readings: Frame[][] = [];
  let connection = new AbortController();
  let open = await connect(origin, asked.begin);
  const jobId = open?.response.headers.get("x-job-id") ?? "";

  /** Null: there is nothing to read. */
  async function connect(at: string, { method, path, init }: Sent) {
    connection = new AbortController();
    const response = await fetch(at + path, { ...init, signal: connection.signal });
    if (response.status === 204) return null;
    if (response.status !== 200 || response.body === null) {
      throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    }
    const frames: Frame[] = [];
    readings.push(frames);
    const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    return { response, frames, events, method, path };
  }

  async function read(upTo: number): Promise<void> {
    if (open === null) throw new Error("no connection is open");
    const { frames, events, method, path } = open;
    let seen = door.goesOn ? readings.flat().length : 0;
    for await (const { id, event = "message", data: text } of events) {
      const data = text === "" ? null : text.startsWith("{") ? JSON.parse(text) : text;
      const idSeen = id === undefined ? {} : { id: /^\d+$/.test(id) ? Number(id) : id };
      if (data !== null) checks.event(method, path, { ...idSeen, event, data });
      frames.push({ ...(id === undefined ? {} : { id }), event, data });
      seen += 1;
      if (seen >= upTo) break;
    }
  }

  return {
    ...{ jobId, readings },
    async cutAt(frame) {
      await read(frame);
      connection.abort();
      open = null;
    },
    async resumeAt(at) {
      for (const request of asked.resume(jobId, readings.flat().at(-1) as Frame)) {
        open = await connect(at, request);
        if (open !== null) return;
      }
      throw new Error(`nothing resumes the stream of job ${jobId}`);
    },
    readAll: () => read(Number.POSITIVE_INFINITY),
  };
}

/** The text once and in order, and one end, over all connections (I1, I2). */
export function expectWholeThrough(door: Door, { readings }: DoorStream, answer: string, label: string): void {
  const { goesOn, text, isEnd, position } = door;
  const what = `${label} through ${door.name}`;
  const frames = goesOn ? readings.flat() : (readings.at(-1) ?? []);
  for (const earlier of goesOn ? [] : readings.slice(0, -1)) {
    expect(answer.startsWith(text(earlier)), `what ${what} said before it broke`).toBe(true);
  }
  expect(text(frames), `text of ${what}`).toBe(answer);
  const ends = frames.flatMap(({ data }, at) => (isEnd(data) ? [at] : []));
  expect(ends, `ends of ${what}`).toHaveLength(1);
  const behind = frames.slice((ends[0] ?? 0) + 1).map(({ data }) => data);
  expect(["[]", '["[DONE]"]'], `what follows the end of ${what}`).toContain(JSON.stringify(behind));
  const positions = frames.map(position).filter((number) => number !== null);
  expect(positions, `order of ${what}`).toEqual([...new Set(positions)].sort((a, b) => a - b));
}
