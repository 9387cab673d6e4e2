import { afterEach, describe, expect, test, vi } from "vitest";
import { inParallel } from "../../../test/support/in-parallel.ts";
import {
  answer,
  cut,
  done,
  frame,
  hang,
  JOB,
  refuse,
  type Step,
  startScriptedApi,
  stream,
  text,
} from "../../../test/support/scripted-api.ts";
import { waitFor } from "../../../test/support/wait-for.ts";
import { createClient } from "./client.ts";
import { AgentPaasError } from "./errors.ts";
import type { StreamEvent } from "./wire/events.ts";

afterEach(() => void vi.restoreAllMocks());

/** An API that answers with these steps, and a client of it. */
async function script(...steps: readonly Step[]) {
  const api = await startScriptedApi(...steps);
  const client = createClient({ baseUrl: api.origin, apiKey: "k", retry: { tries: 4 }, silenceMs: 5_000 });
  return { api, client, chat: () => client.chat({ agent_type: "a", message: "m" }) };
}

const ids = (events: readonly StreamEvent[]) => events.map(({ id }) => id);
const lastIds = (requests: readonly { readonly headers: Readonly<Record<string, unknown>> }[]) =>
  requests.map(({ headers }) => headers["last-event-id"]);
const failure = (work: Promise<unknown>): Promise<AgentPaasError> =>
  work.then(
    () => expect.unreachable("it should have failed"),
    (error) => error,
  );

const ANSWER = [text(1, "这是"), text(2, " 🙂 émigré"), ": hb\n\n", text(3, "\r\n\n"), done(4)].join("");
const WHOLE = "这是 🙂 émigré\r\n\n";

describe("a stream that was cut", () => {
  test.each([
    ["LF", "\n", 2],
    ["CRLF", "\r\n", 7],
    ["CR", "\r", 7],
  ])("a cut after whichever byte loses and repeats nothing (%s)", { timeout: 60_000 }, async (_name, end, step) => {
    const bytes = Buffer.from(`\uFEFFretry: 1\n\n${ANSWER}`.replaceAll("\n", end));
    const { client } = await script((response, request) => {
      if (request.method === "POST") return cut(bytes.subarray(0, JSON.parse(request.body).message))(response, request);
      const seen = Number(request.headers["last-event-id"]);
      const rest = ANSWER.split(/(?<=\n\n)/).filter((one) => Number(/\d+/.exec(one)) > seen);
      return stream(...rest)(response, request);
    });
    const places = Array.from({ length: Math.floor(bytes.length / step) }, (_, at) => String(1 + at * step));
    await inParallel(20, places, async (message) => {
      const chat = client.chat({ agent_type: "a", message });
      expect(ids(await Array.fromAsync(chat)), `cut after ${message} bytes`).toEqual([1, 2, 3, 4]);
      expect(chat.text).toBe(WHOLE);
    });
  });

  test("a connection that ends before `done` is followed by one that goes on behind the last event", async () => {
    const { api, chat } = await script(stream(text(1, "a")), stream(text(2, "b")), stream(text(3, "c"), done(4)));
    const { text: whole, status, job_id } = await chat().result();
    expect({ whole, status, job_id }).toEqual({ whole: "abc", status: "completed", job_id: JOB });
    expect(lastIds(api.requests)).toEqual([undefined, "1", "2"]);
    expect(api.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /api/v1/chat/completions",
      ...Array(2).fill(`GET /api/v1/jobs/${JOB}/events`),
    ]);
  });

  test("events that come a second time are left out", async () => {
    const { chat } = await script(stream(text(1, "a"), text(2, "b")), stream(text(1, "a"), text(2, "b"), done(3)));
    expect(ids(await Array.fromAsync(chat()))).toEqual([1, 2, 3]);
  });

  test("a `reset` replaces the text, whatever connection it comes over", async () => {
    const reset = frame(9, "message", { content: "new", type: "reset" });
    const { chat } = await script(stream(text(1, "old")), stream(reset, text(10, "er"), done(11)));
    expect((await chat().result()).text).toBe("newer");
  });

  test("a damaged event is asked for again", async () => {
    const damaged = 'id: 2\nevent: message\ndata: {"content":"b\n\n';
    const { api, chat } = await script(stream(text(1, "a"), damaged), stream(text(2, "b"), done(3)));
    expect((await chat().result()).text).toBe("ab");
    expect(lastIds(api.requests)).toEqual([undefined, "1"]);
  });

  test("a server that only ever cuts is given up after the tries, and progress begins them anew", async () => {
    const one = stream(text(1, "a"));
    const { api, chat } = await script(cut("retry: 1\n\n"), one, stream());
    const error = await failure(chat().result());
    expect([error.code, error.retryable, error.status]).toEqual(["connection_lost", true, 0]);
    expect(api.requests).toHaveLength(2 + 3);
  });

  test.each<[what: string, Step]>([
    ["never answers", () => {}],
    ["answers with a head and then nothing", hang()],
  ])("a server that %s is given up after the tries", { timeout: 20_000 }, async (_what, step) => {
    const { api } = await script(step);
    const client = createClient({ baseUrl: api.origin, retry: { tries: 3 }, silenceMs: 1_000 });
    const error = await failure(client.chat({ agent_type: "a", message: "m" }).result());
    expect(error).toMatchObject({ code: "connection_lost", message: "The server was silent for too long" });
    expect(api.requests).toHaveLength(3);
  });

  test("a server that talks for a while before it falls silent is not given up", { timeout: 20_000 }, async () => {
    const talking: Step = (response, request) => {
      hang()(response, request);
      const beat = setInterval(() => response.write(": hb\n\n"), 50);
      setTimeout(() => clearInterval(beat), 700);
    };
    const { api } = await script(talking, talking, stream(done(1)));
    const client = createClient({ baseUrl: api.origin, retry: { tries: 2 }, silenceMs: 1_000 });
    expect((await client.events(JOB).result()).status).toBe("completed");
    expect(api.requests).toHaveLength(3);
  });

  test("a connection that has fallen silent is replaced", async () => {
    const { api } = await script(hang(text(1, "a")), () => {}, stream(text(2, "b"), done(3)));
    const client = createClient({ baseUrl: api.origin, silenceMs: 2_000 });
    expect((await client.chat({ agent_type: "a", message: "m" }).result()).text).toBe("ab");
  });
});

describe("a request whose answer was lost", () => {
  test("a chat is sent again as it was, with the same key", async () => {
    const { api, chat } = await script((response) => response.destroy(), stream(text(1, "a"), done(2)));
    expect((await chat().result()).text).toBe("a");
    const [first, second] = api.requests;
    expect(first?.headers["idempotency-key"]).toMatch(/^[0-9a-f]{32}$/);
    expect(second).toEqual(first);
  });

  test("each chat has a key of its own", async () => {
    const { api, chat } = await script(stream(done(1)));
    await Promise.all([chat().result(), chat().result()]);
    expect(new Set(api.requests.map(({ headers }) => headers["idempotency-key"])).size).toBe(2);
  });

  test("a chat whose job id is hidden from the page is replayed by its key", async () => {
    const hidden: Step = (response) =>
      response.writeHead(200, { "Content-Type": "text/event-stream" }).end(`retry: 1\n\n${text(1, "a")}`);
    const { api, chat } = await script(hidden, stream(text(1, "a"), text(2, "b"), done(3)));
    expect((await chat().result()).text).toBe("ab");
    expect(api.requests.map(({ method }) => method)).toEqual(["POST", "POST"]);
  });
});

describe("an answer that is no stream", () => {
  test("a gateway's page and a full platform are waited out", async () => {
    const steps = [answer(502, "<h1>Bad Gateway</h1>"), refuse(429, "open_streams_limit", { "Retry-After": "0" })];
    const { chat } = await script(...steps, stream(text(1, "a"), done(2)));
    expect((await chat().result()).text).toBe("a");
  });

  test("a refusal is thrown at once, with what the platform says of it", async () => {
    const { api, chat } = await script(refuse(401, "invalid_api_key"));
    const error = await failure(chat().result());
    expect(error).toBeInstanceOf(AgentPaasError);
    expect(error).toMatchObject({ code: "invalid_api_key", status: 401, retryable: false, requestId: "r-1" });
    expect(error.message).toBe("It is invalid_api_key.");
    expect(api.requests).toHaveLength(1);
  });

  test("a job that is gone in the middle is an error, not an end", async () => {
    const { chat } = await script(stream(text(1, "a")), refuse(404, "job_not_found"));
    expect(await failure(Array.fromAsync(chat()))).toMatchObject({ code: "job_not_found", status: 404 });
  });

  test("a page where the API should be is an error that says so", async () => {
    const { api, chat } = await script(answer(200, "<h1>Welcome</h1>"));
    const error = await failure(chat().result());
    expect([error.code, error.status, error.message]).toEqual([
      ...["invalid_response", 200],
      `${api.origin}/api/v1/chat/completions did not answer as the API does`,
    ]);
  });

  test("a redirection is followed where the request stays the same, and named where it fails", async () => {
    const { chat } = await script(answer(307, "", { Location: "/elsewhere" }), stream(text(1, "a"), done(2)));
    expect((await chat().result()).text).toBe("a");
    const lost = await script(answer(302, "", { Location: "/login" }), answer(200, "<h1>Log in</h1>"));
    expect((await failure(lost.chat().result())).message).toContain("/login, after a redirection, did not answer");
  });

  test("204 ends the stream of a job whose end was seen, and `result` reads the end from the job", async () => {
    const job = { id: JOB, session_id: null, status: "failed", usage: null, result: { content: "part" } };
    const error = { code: "model_timeout", message: "Too late." };
    const { client } = await script((response) => response.writeHead(204).end(), answer(200, { ...job, error }));
    const events = client.events(JOB, { after: 9 });
    expect(await Array.fromAsync(events)).toEqual([]);
    expect(await failure(events.result())).toMatchObject({ ...error, status: 0, retryable: true });
    expect(events.text).toBe("part");
  });
});

test("an accepted chat has its job and session while nothing has come of it", async () => {
  const waiting: Step = (response) => {
    const headers = { "Content-Type": "text/event-stream", "X-Job-Id": JOB, "X-Session-Id": "s" };
    response.writeHead(200, headers).flushHeaders();
  };
  const { client } = await script(waiting);
  const accepted = Promise.withResolvers<unknown>();
  const chat = client.chat({ agent_type: "a", message: "m" }, { onAccepted: accepted.resolve });
  const event = chat.next();
  expect(await accepted.promise).toEqual({ jobId: JOB, sessionId: "s" });
  expect([chat.jobId, chat.sessionId]).toEqual([JOB, "s"]);
  await chat.return();
  expect(await event).toEqual({ done: true, value: undefined });
});

test("a failed job is an error of `result`, and events of the stream", async () => {
  const error = frame(2, "error", { code: "model_refused", message: "No.", retryable: false });
  const { chat } = await script(stream(text(1, "a"), error, done(3, "failed")));
  const whole = chat();
  expect(await failure(whole.result())).toMatchObject({ code: "model_refused", message: "No.", status: 0 });
  expect(whole.text).toBe("a");
  expect((await Array.fromAsync(chat())).map(({ event }) => event)).toEqual(["message", "error", "done"]);
});

/** The timers from now on that have neither fired nor been cleared. */
function watchTimers(): ReadonlySet<unknown> {
  const pending = new Set<unknown>();
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  vi.spyOn(globalThis, "setTimeout").mockImplementation(((work: () => void, ms: number) => {
    const timer = set(() => {
      pending.delete(timer);
      work();
    }, ms);
    pending.add(timer);
    return timer;
  }) as typeof setTimeout);
  vi.spyOn(globalThis, "clearTimeout").mockImplementation((timer) => {
    pending.delete(timer);
    clear(timer);
  });
  return pending;
}

describe("leaving", () => {
  test.each<[stage: string, Step]>([
    ["before the answer", () => {}],
    ["between two events", hang(text(1, "a"))],
    ["while it waits for the next try", (response) => response.destroy()],
  ])("an abort %s throws the caller's reason, and leaves no timer and no connection", async (_stage, step) => {
    const { api, client } = await script(step);
    const pending = watchTimers();
    const caller = new AbortController();
    const chat = client.chat({ agent_type: "a", message: "m" }, { signal: caller.signal });
    const read = failure(Array.fromAsync(chat));
    await waitFor("the request", () => api.requests.length > 0);
    await waitFor("a timer of the client", () => pending.size > 0);
    caller.abort(new Error("enough"));
    expect((await read).message).toBe("enough");
    expect(pending.size).toBe(0);
    await waitFor("the connection to close", () => api.open() === 0);
  });

  test("an abort between events that came together ends the stream there", async () => {
    const { client } = await script(stream(text(1, "a"), text(2, "b"), done(3)));
    const caller = new AbortController();
    const chat = client.chat({ agent_type: "a", message: "m" }, { signal: caller.signal });
    expect((await chat.next()).value?.id).toBe(1);
    caller.abort("enough");
    await expect(chat.next()).rejects.toBe("enough");
  });

  test("a stream that was left before it began has no result", async () => {
    const { api, chat } = await script(stream(done(1)));
    const left = chat();
    await left.return();
    expect(await failure(left.result())).toMatchObject({ code: "connection_lost" });
    expect(api.requests).toEqual([]);
  });

  test("a signal that has aborted before sends nothing", async () => {
    const { api, client } = await script(stream(done(1)));
    const chat = client.chat({ agent_type: "a", message: "m" }, { signal: AbortSignal.abort("before") });
    await expect(chat.next()).rejects.toBe("before");
    expect(api.requests).toEqual([]);
  });

  test("a loop that is left drops the connection", async () => {
    const { api, chat } = await script(hang(text(1, "a"), text(2, "b")));
    const events = chat();
    for await (const { id } of events) {
      expect(id).toBe(1);
      break;
    }
    await waitFor("the connection to close", () => api.open() === 0);
    expect([events.jobId, events.lastEventId, events.text]).toEqual([JOB, 1, "a"]);
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });
});
