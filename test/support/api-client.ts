/**
 * A client of one API process with one key; answers are returned unchanged, so that tests see status and envelope. Each
 * answer, and each event, is held against the OpenAPI document.
 */
import { answerChecks } from "./answer-checks.ts";
import { openSse, type SseStream } from "./sse-client.ts";
import { waitFor } from "./wait-for.ts";

export type Answer<Body> = { readonly status: number; readonly headers: Headers; readonly body: Body };

// biome-ignore lint/suspicious/noExplicitAny: tests assert on JSON of many shapes, which the compiler cannot know
export type Json = any;

export type ApiClient = ReturnType<typeof createApiClient>;

type Sender = {
  readonly get: (path: string) => Promise<Answer<Json>>;
  readonly post: (path: string, body: unknown) => Promise<Answer<Json>>;
  readonly delete: (path: string) => Promise<Answer<Json>>;
};

const BASE_PATH = "/api/v1";

/** @param basePath that of the door. */
export function createApiClient(origin: string, apiKey: string, basePath = BASE_PATH) {
  const base = origin + basePath;
  const auth = { Authorization: `Bearer ${apiKey}` };

  async function send(method: string, path: string, init: RequestInit = {}): Promise<Answer<Json>> {
    const response = await fetch(base + path, { method, ...init, headers: { ...auth, ...headersOf(init) } });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
    const answer = { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
    (await answerChecks()).answer(method, basePath + path, answer);
    return answer;
  }

  async function open(method: string, path: string, init: RequestInit): Promise<SseStream> {
    const checks = await answerChecks();
    return openSse(base + path, { method, ...init }, (event) => checks.event(method, basePath + path, event));
  }

  const sendBody = (method: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
    send(method, path, {
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers: { "Content-Type": "application/json", ...headers },
    });
  const post = (path: string, body: unknown, headers?: Record<string, string>) => sendBody("POST", path, body, headers);

  return {
    origin,
    /** The same key, through another door. */
    through: (otherPath: string): Sender => createApiClient(origin, apiKey, otherPath),
    send,
    post,
    get: (path: string, headers: Record<string, string> = {}) => send("GET", path, { headers }),
    patch: (path: string, body: unknown) => sendBody("PATCH", path, body),
    delete: (path: string) => send("DELETE", path),

    /** Starts a chat and opens its stream. */
    chat: (body: object, headers: Record<string, string> = {}): Promise<SseStream> =>
      open("POST", "/chat/completions", {
        body: JSON.stringify({ agent_type: "chat_basic", ...body }),
        headers: { ...auth, "Content-Type": "application/json", ...headers },
      }),

    /** Starts a chat and waits for its whole answer as JSON, for as long as the API waits. */
    chatWhole: (message: string, more: object = {}, headers: Record<string, string> = {}) =>
      post("/chat/completions", { agent_type: "chat_basic", message, stream: false, ...more }, headers),

    /** Opens a job's stream, from the start or after an event. */
    follow: (jobId: string, after?: number): Promise<SseStream> =>
      open("GET", `/jobs/${jobId}/events`, {
        headers: { ...auth, ...(after === undefined ? {} : { "Last-Event-ID": String(after) }) },
      }),

    /** Starts an execute job and returns its id. */
    async execute(task: string, more: object = {}, agent = "chat_basic"): Promise<string> {
      const { status, body } = await post(`/agents/${agent}/execute`, { task, ...more });
      if (status !== 202) throw new Error(`execute: ${status} ${JSON.stringify(body)}`);
      return body.job_id;
    },

    cancel: (jobId: string) => post(`/jobs/${jobId}/cancel`, {}),

    job: async (jobId: string): Promise<Json> => (await send("GET", `/jobs/${jobId}`)).body,

    /** The latest page of a session's messages, oldest first. */
    history: async (sessionId: string | null): Promise<Json[]> =>
      (await send("GET", `/chat/history?session_id=${sessionId}`)).body.messages,

    /** Resolves once a worker runs the job. */
    started: (jobId: string): Promise<true> =>
      waitFor(`job ${jobId} to run`, async () => (await send("GET", `/jobs/${jobId}`)).body.status === "running"),

    /** The job once it has ended. */
    async ended(jobId: string, withinMs = 30_000): Promise<Json> {
      const giveUpAt = performance.now() + withinMs;
      while (performance.now() < giveUpAt) {
        const { body } = await send("GET", `/jobs/${jobId}?wait=10`);
        if (["completed", "failed", "cancelled"].includes(body.status)) return body;
      }
      throw new Error(`job ${jobId} did not end within ${withinMs} ms`);
    },
  };
}

const headersOf = (init: RequestInit) => (init.headers ?? {}) as Record<string, string>;
