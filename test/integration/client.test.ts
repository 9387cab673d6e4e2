/** `packages/client` against the platform: each of its calls, on real workers and a real Chroma. */
import { AgentPaasError, createClient } from "@agent-paas/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { formatDirectives } from "../../scripts/model-server/client.ts";
import type { Server } from "../../scripts/services/server.ts";
import { startTestChroma } from "../support/chroma.ts";
import { fresh } from "../support/fresh.ts";
import { newCollection } from "../support/knowledge-client.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { waitFor } from "../support/wait-for.ts";

let chroma: Server;
let platform: TestPlatform;
let client: ReturnType<typeof createClient>;
beforeAll(async () => {
  chroma = await startTestChroma();
  platform = await startTestPlatform({ env: { CHROMA_URL: chroma.url } });
  client = clientOf();
});
afterAll(async () => {
  await platform.stop();
  await chroma.stop();
});

const clientOf = (options: object = {}) =>
  createClient({ baseUrl: platform.alice.origin, apiKey: KEYS.alice, ...options });
const says = (text: string) => formatDirectives({ text });
const failure = (work: Promise<unknown>): Promise<AgentPaasError> =>
  work.then(
    () => expect.unreachable("it should have failed"),
    (error) => error,
  );

test("a chat is its events and its text, and the next message goes on in its session", async () => {
  const chat = client.chat({ agent_type: "chat_basic", message: says("这是 the answer 🙂") });
  const kinds = (await Array.fromAsync(chat)).map(({ event }) => event);
  expect([kinds[0], kinds.at(-1), chat.text]).toEqual(["thought", "done", "这是 the answer 🙂"]);
  const { session_id, job_id, status, finish_reason } = await chat.result();
  expect({ session_id, job_id }).toEqual({ session_id: chat.sessionId, job_id: chat.jobId });
  expect([status, finish_reason]).toEqual(["completed", "stop"]);

  const session = String(session_id);
  await client.chat({ agent_type: "chat_basic", message: says("second"), session_id: session }).result();
  const page = await client.history(session, { limit: 2 });
  expect(page.messages.map(({ role, content }) => [role, content]).at(-1)).toEqual(["assistant", "second"]);
  const older = await client.history(session, { before: page.next ?? "" });
  expect(older.messages.at(-1)?.content).toBe("这是 the answer 🙂");
});

test("sessions are listed, shown, renamed and deleted", async () => {
  const { session_id } = await client.chat({ agent_type: "chat_basic", message: "Hello" }).result();
  const id = String(session_id);
  expect((await client.sessions.get(id)).title).toBe("Hello");
  expect((await client.sessions.rename(id, "Renamed")).title).toBe("Renamed");
  expect((await client.sessions.list({ limit: 1 })).sessions).toEqual([await client.sessions.get(id)]);
  expect(await client.sessions.delete(id)).toBe(true);
  expect(await failure(client.sessions.get(id))).toMatchObject({ code: "session_not_found", status: 404 });
});

test("a job is started, waited for, found and followed", async () => {
  const job = await client.execute("chat_basic", { task: says("whole") }, { wait: true });
  expect(job).toMatchObject({ status: "completed", result: { content: "whole" } });
  const accepted = await client.execute("chat_basic", { task: says("followed") });
  const followed = client.events(accepted.job_id);
  expect((await followed.result()).text).toBe("followed");
  expect(await client.jobs.get(job.id)).toEqual(job);
  const again = await client.jobs.rerun(job.id);
  expect((await client.jobs.wait(again.job_id)).result?.content).toBe("whole");
  const { jobs } = await client.jobs.list({ kind: "execute", limit: 3 });
  expect(jobs.map(({ id }) => id)).toEqual([again.job_id, accepted.job_id, job.id]);
  const rest = client.events(accepted.job_id, { after: followed.lastEventId });
  expect([await Array.fromAsync(rest), (await rest.result()).text]).toEqual([[], "followed"]);
});

test("an abort cancels nothing, a wait that is over returns the running job, and `cancel` stops it (I7)", async () => {
  const caller = new AbortController();
  const message = "[[tokens=2000 rate=20]] long";
  const chat = client.chat({ agent_type: "chat_basic", message }, { signal: caller.signal });
  const read = failure(
    (async () => {
      for await (const { event } of chat) if (event === "message") caller.abort(new Error("seen enough"));
    })(),
  );
  expect((await read).message).toBe("seen enough");
  const jobId = String(chat.jobId);
  expect(await client.jobs.wait(jobId, { seconds: 0.2 })).toMatchObject({ status: "running" });
  await client.cancel(jobId);
  const { status, text } = await client.events(jobId).result();
  expect([status, text.startsWith(chat.text)]).toEqual(["cancelled", true]);
});

test("a repeated request with the same key is one job", async () => {
  const options = { idempotencyKey: fresh("once-only") };
  const [first, second] = await Promise.all([1, 2].map(() => client.execute("chat_basic", { task: "Once" }, options)));
  expect(first?.job_id).toBe(second?.job_id);
  expect((await client.execute("chat_basic", { task: "Once" })).job_id).not.toBe(first?.job_id);
});

test("a tool call is approved from the inbox", async () => {
  const config = { tools: ["calculator"], approve: ["calculator"] };
  const message = '[[calls=calculator({"expression":"6*7"})]]';
  const chat = client.chat({ agent_type: "tool_basic", config, message });
  const whole = chat.result();
  const waiting = await waitFor("the inbox", async () => {
    const { jobs } = await client.jobs.list({ status: "waiting" });
    return jobs.find(({ id }) => id === chat.jobId);
  });
  const [asked] = waiting.waiting_for ?? [];
  expect(asked).toMatchObject({ type: "approval", tool: "calculator", arguments: { expression: "6*7" } });
  const decisions = [{ request_id: String(asked?.request_id), decision: "approve" as const }];
  expect(await client.decide(waiting.id, decisions)).toMatchObject({ waiting_for: [] });
  expect((await whole).status).toBe("completed");
});

test("agents and the platform's state are shown", async () => {
  const agents = await client.agents.list();
  expect(agents.map(({ id }) => id)).toContain("chat_basic");
  expect(await client.agents.get("chat_basic")).toEqual(agents.find(({ id }) => id === "chat_basic"));
  expect((await client.health()).checks.redis.status).toBe("up");
});

test("a file is uploaded with its progress, found, listed and deleted", async () => {
  const collection = newCollection();
  const text = `# Tea\n\nGreen tea is steeped at eighty degrees.\n\n${"Words. ".repeat(30_000)}`;
  const file = new File([text], "茶 tea.md", { type: "text/markdown" });
  const progress: number[] = [];
  const stored = await client.knowledge.upload(collection, file, {
    metadata: { shelf: 3 },
    onProgress: ({ sent, total }) => progress.push(sent / total),
  });
  expect(progress.length).toBeGreaterThan(2);
  expect([progress.toSorted((a, b) => a - b), progress.at(-1)]).toEqual([progress, 1]);
  expect(await client.jobs.wait(stored.job_id)).toMatchObject({ status: "completed" });

  const { passages } = await client.knowledge.query(collection, { query: "green tea degrees", top_k: 1 });
  expect(passages).toMatchObject([{ source: "茶 tea.md", document_id: stored.document_id }]);
  const { documents } = await client.knowledge.documents(collection);
  expect(documents).toEqual([await client.knowledge.document(collection, stored.document_id)]);
  expect(documents[0]).toMatchObject({ format: "markdown", metadata: { shelf: 3 }, bytes: Buffer.byteLength(text) });
  expect((await client.knowledge.collections()).map(({ name }) => name)).toContain(collection);
  expect(await client.knowledge.deleteDocument(collection, stored.document_id)).toBe(true);
  expect(await client.knowledge.collection(collection)).toMatchObject({ documents: 0 });
  expect(await client.knowledge.deleteCollection(collection)).toBe(true);
});

test("a refused request is one error with its code, its status and its field", async () => {
  const refused = await failure(client.chat({ agent_type: "chat_basic", message: "" }).result());
  expect(refused).toBeInstanceOf(AgentPaasError);
  expect(refused).toMatchObject({ code: "invalid_request", status: 400, param: "message", retryable: false });
  expect(await failure(client.execute("nobody", { task: "a" }))).toMatchObject({ code: "agent_not_found" });
  const stranger = clientOf({ apiKey: "wrong" });
  expect(await failure(stranger.agents.list())).toMatchObject({ code: "invalid_api_key", status: 401 });
  expect(await failure(client.knowledge.upload(newCollection(), "\0"))).toMatchObject({ status: 400 });
});
