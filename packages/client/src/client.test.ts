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
import { createClient } from "./client.ts";

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
