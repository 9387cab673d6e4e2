/**
 * I8: another's session or job is answered exactly as one that does not exist, on every route that takes an id, in
 * every state; and is left as it was. The table is compared with the app's own list of routes.
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRoutes } from "../../apps/api/src/app.ts";
import type { Answer, ApiClient, Json } from "../support/api-client.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { waitFor } from "../support/wait-for.ts";

type Ids = { readonly session: string; readonly job: string };
type Ask = (client: ApiClient, ids: Ids) => Promise<Answer<Json>>;

/** Every way to name a session or a job. */
const ASKS: Record<string, Ask> = {
  "post /chat/completions": (client, { session }) =>
    client.post("/chat/completions", { agent_type: "chat_basic", message: "Let me in", session_id: session }),
  "get /chat/history": (client, { session }) => client.get(`/chat/history?session_id=${session}`),
  "get /sessions/:id": (client, { session }) => client.get(`/sessions/${session}`),
  "delete /sessions/:id": (client, { session }) => client.delete(`/sessions/${session}`),
  "post /agents/:id/execute": (client, { session }) =>
    client.post("/agents/chat_basic/execute", { task: "Let me in", session_id: session }),
  "get /jobs/:id": (client, { job }) => client.get(`/jobs/${job}?wait=1`),
  "get /jobs/:id/events": (client, { job }) => client.get(`/jobs/${job}/events`),
  "post /jobs/:id/cancel": (client, { job }) => client.post(`/jobs/${job}/cancel`, {}),
};

/** Lists of what the key owns; tested below. */
const LISTS = ["get /sessions", "get /jobs"];

/** Nothing that a key owns is named or shown. */
const OWNERLESS = ["get /agents", "get /agents/:id", "get /health", "get /livez", "get /readyz"];

test("the table covers every route of the app", () => {
  // No route touches its services before a request comes.
  const routes = createRoutes({} as Parameters<typeof createRoutes>[0]);
  expect(routes.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(
    [...Object.keys(ASKS), ...LISTS, ...OWNERLESS].sort(),
  );
});

let platform: TestPlatform;
let alice: ApiClient;
let bob: ApiClient;
let bobs: Ids;
const alices: Record<"ended" | "running" | "queued", Ids> = {} as never;

beforeAll(async () => {
  platform = await startTestPlatform({
    env: { WORKER_CHAT_CONCURRENCY: "1", SHUTDOWN_GRACE_MS: "0" },
  });
  ({ alice, bob } = platform);
  const chat = async (client: ApiClient, message: string): Promise<Ids> => {
    const { sessionId, jobId } = await client.chat({ message });
    return { session: sessionId ?? "", job: jobId };
  };
  bobs = await chat(bob, "[[text=Mine]] Bob's own");
  alices.ended = await chat(alice, "[[text=Secret]] Done with");
  await alice.ended(alices.ended.job);
  alices.running = await chat(alice, "[[tokens=1 ttft=60000]] Under way");
  await waitFor("the job to run", () => hasStatus(alices.running, "running"));
  // No row of it exists yet, neither session nor job.
  alices.queued = await chat(alice, "[[text=Secret]] In line");
});
afterAll(() => platform.stop());

const hasStatus = async ({ job }: Ids, status: string) => (await alice.get(`/jobs/${job}`)).body.status === status;
const idsOf = (rows: Json[]): string[] => rows.map(({ id }) => id);

/** What an answer says, but for the id of its request. */
const said = ({ status, body }: Answer<Json>) => ({ status, error: { ...body.error, request_id: null } });

describe.each(["ended", "running", "queued"] as const)("of a job that is %s", (state) => {
  test.each(Object.entries(ASKS))("%s answers bob as if it did not exist", async (_route, ask) => {
    const nobodys = said(await ask(bob, { session: randomUUID(), job: randomUUID() }));
    expect(said(await ask(bob, alices[state]))).toEqual(nobodys);
    expect(nobodys.status).toBe(404);
    expect(nobodys.error.code).toMatch(/^(session|job)_not_found$/);
  });

  test("session and job are as they were, for alice", async () => {
    const status = state === "ended" ? "completed" : state;
    expect(await hasStatus(alices[state], status)).toBe(true);
    expect((await alice.get(`/sessions/${alices[state].session}`)).status).toBe(200);
  });
});

test("lists hold the caller's own and nothing else", async () => {
  const { session } = alices.ended;
  expect(idsOf((await bob.get("/jobs")).body.jobs)).toEqual([bobs.job]);
  expect(idsOf((await bob.get("/sessions")).body.sessions)).toEqual([bobs.session]);
  expect((await bob.get(`/jobs?session_id=${session}`)).body.jobs).toEqual([]);
  expect((await bob.get("/jobs?status=queued")).body.jobs).toEqual([]);

  const jobs = idsOf((await alice.get("/jobs")).body.jobs);
  expect(jobs.sort()).toEqual(Object.values(alices).map(({ job }) => job));
  expect(idsOf((await alice.get("/sessions")).body.sessions)).toContain(session);
});

test("a message of another's session is no place to page from", async () => {
  const [foreign] = (await alice.get(`/chat/history?session_id=${alices.ended.session}`)).body.messages;
  const own = `/chat/history?session_id=${bobs.session}`;
  expect((await bob.get(own)).body.messages).toHaveLength(2);
  const page = await bob.get(`${own}&before=${foreign.id}`);
  expect(page.body).toMatchObject({ messages: [], next: null });
});

test("the Idempotency-Key of one owner means nothing for another", async () => {
  const key = { "Idempotency-Key": "the-same-for-both" };
  const ask = (client: ApiClient, task: string) => client.post("/agents/chat_basic/execute", { task }, key);
  const hers = await ask(alice, "[[text=Hers]] One");
  const his = await ask(bob, "[[text=His]] Two");
  expect([hers.status, his.status]).toEqual([202, 202]);
  expect(his.body.job_id).not.toBe(hers.body.job_id);
  expect((await bob.ended(his.body.job_id)).result.content).toBe("His");
  expect((await bob.get(`/jobs/${hers.body.job_id}`)).status).toBe(404);
});
