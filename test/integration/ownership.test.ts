/**
 * I8: a session, job or document of another owner is answered exactly as one that does not exist, on every route that
 * takes an id and in every state, and is not changed. The table is compared with the routes of the app.
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createRoutes } from "../../apps/api/src/app.ts";
import type { Server } from "../../scripts/services/server.ts";
import type { Answer, ApiClient, Json } from "../support/api-client.ts";
import { startTestChroma } from "../support/chroma.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";

type Ids = {
  readonly session: string;
  readonly job: string;
  readonly conversation: string;
  readonly collection: string;
  readonly document: string;
};
type Ask = (client: ApiClient, ids: Ids) => Promise<Answer<Json>>;

/** A request for each route that names a session, a job, a collection or a document. */
const BY_ID: Record<string, Ask> = {
  "post /chat/completions": (client, { session }) =>
    client.post("/chat/completions", { agent_type: "chat_basic", message: "Let me in", session_id: session }),
  "get /chat/history": (client, { session }) => client.get(`/chat/history?session_id=${session}`),
  "get /sessions/:id": (client, { session }) => client.get(`/sessions/${session}`),
  "patch /sessions/:id": (client, { session }) => client.patch(`/sessions/${session}`, { title: "Mine" }),
  "delete /sessions/:id": (client, { session }) => client.delete(`/sessions/${session}`),
  "post /agents/:id/execute": (client, { session }) =>
    client.post("/agents/chat_basic/execute", { task: "Let me in", session_id: session }),
  "get /jobs/:id": (client, { job }) => client.get(`/jobs/${job}?wait=1`),
  "get /jobs/:id/events": (client, { job }) => client.get(`/jobs/${job}/events`),
  "get /jobs/:id/steps": (client, { job }) => client.get(`/jobs/${job}/steps`),
  "post /jobs/:id/cancel": (client, { job }) => client.post(`/jobs/${job}/cancel`, {}),
  "post /jobs/:id/rerun": (client, { job }) => client.post(`/jobs/${job}/rerun`, {}),
  "post /jobs/:id/decisions": (client, { job }) =>
    client.post(`/jobs/${job}/decisions`, { decisions: [{ request_id: "any", decision: "approve" }] }),
  "post /responses": (client, { job }) =>
    client.through("/v1").post("/responses", { model: "chat_basic", input: "Let me in", previous_response_id: job }),
  "get /responses/:response_id": (client, { job }) => client.through("/v1").get(`/responses/${job}`),
  "post /responses/:response_id/cancel": (client, { job }) =>
    client.through("/v1").post(`/responses/resp_${job}/cancel`, {}),
  "delete /responses/:response_id": (client, { job }) => client.through("/v1").delete(`/responses/${job}`),
  "get /responses/:response_id/input_items": (client, { job }) =>
    client.through("/v1").get(`/responses/${job}/input_items`),
  "get /conversations/:conversation_id": (client, { conversation }) =>
    client.through("/v1").get(`/conversations/${conversation}`),
  "get /conversations/:conversation_id/items": (client, { conversation }) =>
    client.through("/v1").get(`/conversations/${conversation}/items`),
  "delete /conversations/:conversation_id": (client, { conversation }) =>
    client.through("/v1").delete(`/conversations/${conversation}`),
  "get /knowledge/:collection": (client, { collection }) => client.get(`/knowledge/${collection}`),
  "delete /knowledge/:collection": (client, { collection }) => client.delete(`/knowledge/${collection}`),
  "get /knowledge/:collection/documents": (client, { collection }) => client.get(`/knowledge/${collection}/documents`),
  "get /knowledge/:collection/documents/:id": (client, { collection, document }) =>
    client.get(`/knowledge/${collection}/documents/${document}`),
  "get /knowledge/:collection/documents/:id/chunks": (client, { collection, document }) =>
    client.get(`/knowledge/${collection}/documents/${document}/chunks`),
  "delete /knowledge/:collection/documents/:id": (client, { collection, document }) =>
    client.delete(`/knowledge/${collection}/documents/${document}`),
  "post /knowledge/:collection/query": (client, { collection }) =>
    client.post(`/knowledge/${collection}/query`, { query: "Let me in" }),
};

/** Routes that list what the key owns. */
const LISTS = ["get /sessions", "get /jobs", "get /knowledge"];

/** Routes that create a collection of the caller; a collection of another owner with that name is a different one. */
const MAKERS = ["post /knowledge/:collection/documents"];

/** Routes that name and show nothing that has an owner. */
const OWNERLESS = [
  ...["get /agents", "get /agents/:id", "get /health", "get /metrics", "get /livez", "get /readyz"],
  // The door of OpenAI names sessions by what their owner calls them: another owner's name is another session.
  ...["get /models", "get /models/:model", "post /chat/completions"],
  "post /conversations",
  // So do those of the AI SDK and AG-UI, with the ids of chats and threads.
  ...["post /:agent_id", "get /:agent_id/:chat_id/stream", "post /:agent_id"],
  ...["get /", "get /assets/:file", "get /openapi.json", "get /docs", "get /docs/:file"],
];

/** Routes whose ids are those of jobs and sessions, in a form of their own: `mcp-door*.test.ts` shows them. */
const MCP = ["post /mcp", "get /mcp"];

test("the table covers every route of the app", () => {
  // No route uses its services before the first request.
  const routes = createRoutes({} as Parameters<typeof createRoutes>[0]);
  expect(routes.map(({ route, path }) => `${route.method} ${route.path || path}`).sort()).toEqual(
    [...Object.keys(BY_ID), ...LISTS, ...MAKERS, ...OWNERLESS, ...MCP].sort(),
  );
});

let chroma: Server;
let platform: TestPlatform;
let alice: ApiClient;
let bob: ApiClient;
let bobs: Ids;
const alices: Record<"ended" | "running" | "queued", Ids> = {} as never;

beforeAll(async () => {
  chroma = await startTestChroma();
  platform = await startTestPlatform({
    env: { CHROMA_URL: chroma.url, WORKER_CHAT_CONCURRENCY: "1", SHUTDOWN_GRACE_MS: "0" },
  });
  ({ alice, bob } = platform);
  const { job_id, document_id } = (await store(alice, HERS, "Alice's secret")).body;
  await alice.ended(job_id);
  const chat = async (client: ApiClient, message: string): Promise<Ids> => {
    const { sessionId, jobId } = await client.chat({ message });
    const conversation = (await client.through("/v1").post("/conversations", {})).body.id;
    return { session: sessionId ?? "", job: jobId, conversation, collection: HERS, document: document_id };
  };
  bobs = await chat(bob, "[[text=Mine]] Bob's own");
  alices.ended = await chat(alice, "[[text=Secret]] Done with");
  await alice.ended(alices.ended.job);
  alices.running = await chat(alice, "[[tokens=1 ttft=60000]] Under way");
  await alice.started(alices.running.job);
  // Neither its session nor its job has a row yet.
  alices.queued = await chat(alice, "[[text=Secret]] In line");
});
afterAll(async () => {
  await platform.stop();
  await chroma.stop();
});

const HERS = "alices-own";
const store = (client: ApiClient, collection: string, text: string) =>
  client.post(`/knowledge/${collection}/documents`, { text, source: "secret" });
const hasStatus = async ({ job }: Ids, status: string) => (await alice.job(job)).status === status;
const idsOf = (rows: Json[]): string[] => rows.map(({ id }) => id);

/** An error answer without the id of its request. */
const refusalOf = ({ status, body }: Answer<Json>) => ({ status, error: { ...body.error, request_id: null } });

describe.each(["ended", "running", "queued"] as const)("what alice owns with a job that is %s", (state) => {
  test.each(Object.entries(BY_ID))("%s answers bob as if the id did not exist", async (_route, ask) => {
    const [session, job, uuid, collection, document] = Array.from({ length: 5 }, () => randomUUID()) as [
      string,
      string,
      string,
      string,
      string,
    ];
    const conversation = `conv_${uuid}_01234567`;
    const unknown = refusalOf(await ask(bob, { session, job, conversation, collection, document }));
    expect(refusalOf(await ask(bob, alices[state]))).toEqual(unknown);
    expect(unknown.status).toBe(404);
    expect(unknown.error.code).toMatch(/^(session|job|collection)_not_found$/);
  });

  test("session, job and document are unchanged for alice", async () => {
    const status = state === "ended" ? "completed" : state;
    expect(await hasStatus(alices[state], status)).toBe(true);
    expect((await alice.get(`/sessions/${alices[state].session}`)).status).toBe(200);
    expect((await alice.get(`/knowledge/${HERS}/documents/${alices[state].document}`)).status).toBe(200);
  });
});

test("every list holds only what its caller owns", async () => {
  const { session } = alices.ended;
  expect(idsOf((await bob.get("/jobs")).body.jobs)).toEqual([bobs.job]);
  expect(idsOf((await bob.get("/sessions")).body.sessions)).toEqual([bobs.session]);
  expect((await bob.get(`/jobs?session_id=${session}`)).body.jobs).toEqual([]);
  expect((await bob.get("/jobs?status=queued")).body.jobs).toEqual([]);

  expect((await bob.get("/knowledge")).body.collections).toEqual([]);
  expect((await alice.get("/knowledge")).body.collections).toMatchObject([{ name: HERS, documents: 1 }]);

  const jobs = idsOf((await alice.get("/jobs?kind=chat")).body.jobs);
  expect(jobs.sort()).toEqual(Object.values(alices).map(({ job }) => job));
  expect(idsOf((await alice.get("/sessions")).body.sessions)).toContain(session);
});

test("collections of one name and documents of one source are separate for two owners", async () => {
  const { job_id, document_id } = (await store(bob, HERS, "Bob's secret")).body;
  await bob.ended(job_id);
  const hers = alices.ended.document;
  expect(document_id).not.toBe(hers);
  const { status, body } = await bob.get(`/knowledge/${HERS}/documents/${hers}`);
  expect([status, body.error.code]).toEqual([404, "document_not_found"]);
  const page = await bob.get(`/knowledge/${HERS}/documents?before=${hers}`);
  expect(page.body).toMatchObject({ documents: [], next: null });
  const found = await bob.post(`/knowledge/${HERS}/query`, { query: "Alice's secret" });
  expect(found.body.passages.map(({ content }: Json) => content)).toEqual(["Bob's secret"]);
});

test("a page of history cannot start from a message of another owner's session", async () => {
  const [foreign] = (await alice.get(`/chat/history?session_id=${alices.ended.session}`)).body.messages;
  const own = `/chat/history?session_id=${bobs.session}`;
  expect((await bob.get(own)).body.messages).toHaveLength(2);
  const page = await bob.get(`${own}&before=${foreign.id}`);
  expect(page.body).toMatchObject({ messages: [], next: null });
});

test("an Idempotency-Key joins jobs of its owner only", async () => {
  const key = { "Idempotency-Key": "the-same-for-both" };
  const ask = (client: ApiClient, task: string) => client.post("/agents/chat_basic/execute", { task }, key);
  const hers = await ask(alice, "[[text=Hers]] One");
  const his = await ask(bob, "[[text=His]] Two");
  expect([hers.status, his.status]).toEqual([202, 202]);
  expect(his.body.job_id).not.toBe(hers.body.job_id);
  expect((await bob.ended(his.body.job_id)).result.content).toBe("His");
  expect((await bob.get(`/jobs/${hers.body.job_id}`)).status).toBe(404);
});
