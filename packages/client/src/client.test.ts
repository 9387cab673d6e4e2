import { expect, test } from "vitest";
import {
  answer,
  done,
  hang,
  JOB,
  refuse,
  type Step,
  startScriptedApi,
  stream,
  text,
} from "../../../test/support/scripted-api.ts";
import { waitFor } from "../../../test/support/wait-for.ts";
import { type Client, createClient } from "./client.ts";

async function script(...steps: readonly Step[]) {
  const api = await startScriptedApi(...steps);
  return { api, client: createClient({ baseUrl: api.origin, retry: { tries: 3 }, silenceMs: 2_000 }) };
}

const jobOf = (fields: object) => answer(200, { id: JOB, session_id: null, usage: null, error: null, ...fields });

test("the health of a platform that is down is an answer; other 503s are waited out", { timeout: 20_000 }, async () => {
  const down = { status: "down", checks: {} };
  const busy = [answer(503, "<h1>Busy</h1>"), refuse(503, "queue_unavailable")];
  const { api, client } = await script(...busy, answer(503, down));
  expect(await client.health()).toEqual(down);
  expect(api.requests).toHaveLength(3);
});

test("a search that was cancelled is an error", async () => {
  const accepted = answer(202, { job_id: JOB });
  const { client } = await script(accepted, jobOf({ status: "cancelled", result: null }));
  await expect(client.knowledge.query("c", { query: "q" })).rejects.toMatchObject({ code: "job_cancelled" });
});

test.each([
  ["of a job", refuse(503, "vector_store_unavailable", { "X-Job-Id": JOB }), "vector_store_unavailable"],
  ["that sessions are too many", refuse(429, "sessions_limit"), "sessions_limit"],
  ["that too many jobs wait for people", refuse(429, "suspended_jobs_limit"), "suspended_jobs_limit"],
])("the error %s may pass, but nothing is sent again", async (_what, step, code) => {
  const { api, client } = await script(step);
  await expect(client.knowledge.query("c", { query: "q" })).rejects.toMatchObject({ code, retryable: true });
  await expect(client.knowledge.deleteCollection("c")).rejects.toMatchObject({ code });
  expect(api.requests).toHaveLength(2);
});

test("a body that comes for longer than the silence is whole", { timeout: 20_000 }, async () => {
  const slow: Step = (response) => {
    response.writeHead(200, { "Content-Type": "application/json" });
    const parts = ['{"agents"', ":[", '"é', 'a"', "]", "}"];
    const next = () => {
      response.write(parts.shift() ?? "");
      if (parts.length > 0) setTimeout(next, 500);
      else response.end();
    };
    next();
  };
  const { api, client } = await script(slow);
  expect(await client.agents.list()).toEqual(["éa"]);
  expect(api.requests).toHaveLength(1);
});

test("a stream that is left while an event is awaited ends there and drops the connection", async () => {
  const { api, client } = await script(hang(text(1, "a")));
  const events = client.events(JOB);
  expect((await events.next()).value?.id).toBe(1);
  const awaited = events.next();
  const over = { done: true, value: undefined };
  expect(await events.return()).toEqual(over);
  expect([await awaited, await events.next()]).toEqual([over, over]);
  await waitFor("the connection to close", () => api.open() === 0);
  expect(api.requests).toHaveLength(1);
});

test("the result of a stream that began behind some events has the whole text", async () => {
  const job = jobOf({ status: "completed", result: { content: "whole" } });
  const { client } = await script(stream(text(5, "le"), done(6)), job);
  expect(await client.events(JOB, { after: 4 }).result()).toMatchObject({ text: "whole", status: "completed" });
});

test("a mistake of the caller's in `onProgress` is thrown as it is, once", async () => {
  const { api, client } = await script(answer(202, { job_id: JOB }));
  const mistake = new Error("no such element");
  const onProgress = () => {
    throw mistake;
  };
  await expect(client.knowledge.upload("c", "a", { onProgress })).rejects.toBe(mistake);
  expect(api.requests.length).toBeLessThan(2);
});

test.each([
  ["application/json", "application/octet-stream"],
  ["application/json; charset=utf-8", "application/octet-stream"],
  ["multipart/form-data; boundary=b", "application/octet-stream"],
  ["application/x-www-form-urlencoded", "application/octet-stream"],
  ["", "application/octet-stream"],
  ["text/markdown", "text/markdown"],
])('a file of the type "%s" is sent as %s', async (type, sent) => {
  const { api, client } = await script(answer(202, { job_id: JOB }));
  await client.knowledge.upload("c", new Blob(['{"text":"t"}'], { type }), { source: "a.json" });
  expect(api.requests[0]).toMatchObject({ headers: { "content-type": sent }, body: '{"text":"t"}' });
});

type Call = (client: Client, options: { readonly signal: AbortSignal }) => Promise<unknown>;

const CALLS: Readonly<Record<string, Call>> = {
  chat: (client, options) => client.chat({ agent_type: "a", message: "m" }, options).result(),
  execute: (client, options) => client.execute("a", { task: "t" }, { ...options, wait: true }),
  events: (client, options) => client.events(JOB, options).result(),
  cancel: (client, options) => client.cancel(JOB, options),
  decide: (client, options) => client.decide(JOB, [{ request_id: "r", decision: "approve" }], options),
  history: (client, options) => client.history("s", options),
  health: (client, options) => client.health(options),
  metrics: (client, options) => client.metrics(options),
  "agents.list": (client, options) => client.agents.list(options),
  "agents.get": (client, options) => client.agents.get("a", options),
  "sessions.list": (client, options) => client.sessions.list(options),
  "sessions.get": (client, options) => client.sessions.get("s", options),
  "sessions.rename": (client, options) => client.sessions.rename("s", "t", options),
  "sessions.delete": (client, options) => client.sessions.delete("s", options),
  "jobs.list": (client, options) => client.jobs.list(options),
  "jobs.get": (client, options) => client.jobs.get(JOB, options),
  "jobs.wait": (client, options) => client.jobs.wait(JOB, options),
  "jobs.steps": (client, options) => client.jobs.steps(JOB, options),
  "jobs.rerun": (client, options) => client.jobs.rerun(JOB, options),
  "knowledge.collections": (client, options) => client.knowledge.collections(options),
  "knowledge.collection": (client, options) => client.knowledge.collection("c", options),
  "knowledge.deleteCollection": (client, options) => client.knowledge.deleteCollection("c", options),
  "knowledge.documents": (client, options) => client.knowledge.documents("c", options),
  "knowledge.document": (client, options) => client.knowledge.document("c", "d", options),
  "knowledge.chunks": (client, options) => client.knowledge.chunks("c", "d", options),
  "knowledge.deleteDocument": (client, options) => client.knowledge.deleteDocument("c", "d", options),
  "knowledge.upload": (client, options) => client.knowledge.upload("c", "text", options),
  "knowledge.query": (client, options) => client.knowledge.query("c", { query: "q" }, options),
};

test("the calls that are aborted below are all that there are", () => {
  const names = Object.entries(createClient({ baseUrl: "http://127.0.0.1:9" })).flatMap(([name, call]) =>
    typeof call === "function" ? [name] : Object.keys(call).map((inner) => `${name}.${inner}`),
  );
  expect(names.toSorted()).toEqual(Object.keys(CALLS).toSorted());
});

test.each(Object.entries(CALLS))(
  "an abort ends `%s` with the caller's reason, and nothing is sent again",
  async (_, call) => {
    // It never answers.
    const { api, client } = await script(() => {});
    const caller = new AbortController();
    const ended = expect(call(client, { signal: caller.signal })).rejects.toThrow("seen enough");
    await waitFor("the request", () => api.requests.length === 1);
    caller.abort(new Error("seen enough"));
    await ended;
    await waitFor("the end of the connection", () => api.open() === 0);
    expect(api.requests).toHaveLength(1);
  },
);
