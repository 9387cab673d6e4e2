/**
 * Knowledge while parts fail: Chroma stopped or hanging, a worker killed during an ingest. A partly stored document is
 * never visible, jobs go on when the part is back, and a document is stored once (I1, I4).
 */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import type { ApiClient, Json } from "../support/api-client.ts";
import { startTestChroma } from "../support/chroma.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import type { SseEvent } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

let chroma: Server;
let platform: TestPlatform;
let alice: ApiClient;
beforeEach(async () => {
  chroma = await startTestChroma();
  platform = await startTestPlatform({ env: { CHROMA_URL: chroma.url } });
  ({ alice } = platform);
});
afterEach(async () => {
  await platform.stop();
  await chroma.stop();
});

const DOCUMENTS = "/knowledge/docs/documents";

/** Text of several batches of chunks. */
const longText = (word: string) =>
  Array.from({ length: 200 }, (_, at) => `# Section ${at}\n\nHere ${word} is described, for the ${at}th time.`).join(
    "\n\n",
  );

const post = async (text: string, source = "guide.md"): Promise<string> => {
  const { status, body } = await alice.post(DOCUMENTS, { text, source });
  expect(status).toBe(202);
  return body.job_id;
};
const query = (text: string) => alice.post("/knowledge/docs/query", { query: text, top_k: 50 });

async function nextEvent(jobId: string, what: string, isIt: (event: SseEvent) => boolean): Promise<SseEvent> {
  const stream = await alice.follow(jobId);
  for await (const event of stream.events()) {
    if (!isIt(event)) continue;
    stream.cut();
    return event;
  }
  throw new Error(`the job ended before ${what}`);
}

const untilRetried = (jobId: string) =>
  nextEvent(jobId, "it was tried again", ({ data }) => data.code === "vector_store_unavailable");
const untilHalf = (jobId: string) =>
  nextEvent(jobId, "a batch was stored", ({ data }) => data.type === "progress" && Number(data.progress) > 0);

/** Each passage of the document once, and nothing else. */
async function expectStoredOnce(word: string, chunks: number): Promise<void> {
  const { documents } = (await alice.get(DOCUMENTS)).body;
  expect(documents).toMatchObject([{ source: "guide.md", chunks }]);
  const { passages } = (await query(word)).body;
  expect(passages.length).toBeGreaterThan(0);
  expect(new Set(passages.map(({ position }: Json) => position)).size).toBe(passages.length);
  for (const { content } of passages) expect(content).toContain(word);
}

test("while Chroma is down a document stays invisible, queries get a 503, and the ingest completes when Chroma is back", async () => {
  await chroma.kill();
  const jobId = await post(longText("alpha"));
  expect((await untilRetried(jobId)).data).toMatchObject({ type: "status", delay_ms: expect.any(Number) });
  expect((await alice.get(DOCUMENTS)).body.documents).toEqual([]);
  const refused = await query("alpha");
  expect([refused.status, refused.body.error.code]).toEqual([503, "vector_store_unavailable"]);
  expect((await alice.job(jobId)).status).toBe("running");
  expect(await platform.redis.ttl(platform.keys.upload(jobId))).toBeGreaterThan(0);

  await chroma.start();
  expect(await alice.ended(jobId)).toMatchObject({ status: "completed", result: { data: { chunks: 200 } } });
  await expectStoredOnce("alpha", 200);
});

test("while Chroma is down during an ingest the old version stays current until the new one is whole", async () => {
  await alice.ended(await post("# Old\n\nOnly alpha here."));
  const jobId = await post(longText("beta"));
  await untilHalf(jobId);
  await chroma.kill();
  await untilRetried(jobId);
  expect((await alice.get(DOCUMENTS)).body.documents).toMatchObject([{ chunks: 1 }]);
  await chroma.start();
  expect(await alice.ended(jobId)).toMatchObject({ status: "completed" });
  await expectStoredOnce("beta", 200);
});

test("a document deleted while Chroma is down is gone at once, and from Chroma when it is back", async () => {
  await alice.ended(await post("Soon gone."));
  const [{ id }] = (await alice.get(DOCUMENTS)).body.documents;
  await chroma.kill();
  const deleting = alice.delete(`${DOCUMENTS}/${id}`);
  await waitFor("the document to be gone", async () => (await alice.get(`${DOCUMENTS}/${id}`)).status === 404);
  await chroma.start();
  const answer = await deleting;
  if (answer.status !== 204) await alice.ended(answer.body.job_id);
  expect((await query("Soon gone")).body.passages).toEqual([]);
});

test("an ingest whose worker is killed is completed by another worker, and the document is stored once", async () => {
  const jobId = await post(longText("alpha"));
  await untilHalf(jobId);
  // The ingest cannot end before its worker is killed.
  chroma.pause();
  await platform.workers[0]?.kill();
  chroma.resume();
  expect((await alice.get(DOCUMENTS)).body.documents).toEqual([]);
  await platform.startWorker();
  expect((await query("alpha")).body.passages).toEqual([]);
  const job = await alice.ended(jobId, 50_000);
  expect(job).toMatchObject({ status: "completed", attempt: 2, result: { data: { chunks: 200, unchanged: false } } });
  await expectStoredOnce("alpha", 200);
});

test("an ingest that is cancelled before its start leaves no upload", async () => {
  await platform.workers[0]?.stop(15_000);
  const jobId = await post(longText("alpha"));
  await alice.cancel(jobId);
  expect(await platform.redis.exists(platform.keys.upload(jobId))).toBe(1);
  await platform.startWorker();
  expect(await alice.ended(jobId)).toMatchObject({ status: "cancelled" });
  await waitFor("the upload to be gone", async () => !(await platform.redis.exists(platform.keys.upload(jobId))));
});

test("a document that is deleted during its first ingest does not appear", async () => {
  const { body: accepted } = await alice.post(DOCUMENTS, { source: "doc.md", text: longText("alpha") });
  await untilHalf(accepted.job_id);
  chroma.pause();
  expect((await alice.get(`${DOCUMENTS}/${accepted.document_id}`)).status).toBe(404);
  const deleting = alice.delete(`${DOCUMENTS}/${accepted.document_id}`);
  await waitFor("the deletion to be under way", async () =>
    (await alice.get("/jobs?limit=5")).body.jobs.some(
      ({ agent_type, status }: { agent_type: string; status: string }) =>
        agent_type === "knowledge.delete_document" && status !== "queued",
    ),
  );
  chroma.resume();
  expect([202, 204]).toContain((await deleting).status);
  expect(await alice.ended(accepted.job_id)).toMatchObject({ status: "failed", error: { code: "document_not_found" } });
  expect((await alice.get(DOCUMENTS)).body.documents).toEqual([]);
  expect((await query("alpha")).body.passages).toEqual([]);
});

test("an ingest that is cancelled leaves no document, no passage and no upload", async () => {
  const jobId = await post(longText("alpha"));
  await untilHalf(jobId);
  chroma.pause();
  await alice.cancel(jobId);
  expect(await alice.ended(jobId)).toMatchObject({ status: "cancelled" });
  chroma.resume();
  expect((await alice.get(DOCUMENTS)).body.documents).toEqual([]);
  expect((await query("alpha")).body.passages).toEqual([]);
  await waitFor("the upload to be gone", async () => !(await platform.redis.exists(platform.keys.upload(jobId))));
});
