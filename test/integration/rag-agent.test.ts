/**
 * `rag_basic` over HTTP on a real Chroma: passages are found, shown and cited, with the local and the provider's
 * embedding.
 */
import type { Citation } from "@agent-paas/shared/contract/jobs.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import { startTestChroma } from "../support/chroma.ts";
import { forgetJob } from "../support/job-state.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { type SseEvent, shownText } from "../support/sse-client.ts";

const DOCUMENTS = {
  "holidays.md": "# Holidays\n\nEverybody has thirty days of holiday a year.\n\n# 假期\n\n每位员工每年有三十天假期。",
  "kitchen.md": "# Kitchen\n\nThe coffee machine is cleaned on Fridays.",
  "travel.md": "# Travel\n\nTrains are booked by the office, at least a week ahead.",
};

describe.each([
  ["local-hash-2048-v2", {}],
  ["provider-embedding+local-hash-2048-v2", { EMBEDDING_MODEL: "provider-embedding" }],
  ["provider-embedding", { EMBEDDING_MODEL: "provider-embedding", RETRIEVAL_HYBRID: "off" }],
])("with the embedding %s", (embedding, env) => {
  let chroma: Server;
  let platform: TestPlatform;
  beforeAll(async () => {
    chroma = await startTestChroma();
    platform = await startTestPlatform({ env: { CHROMA_URL: chroma.url, EVENT_LOG_TTL_SECONDS: "3600", ...env } });
    for (const [source, text] of Object.entries(DOCUMENTS)) {
      const { body } = await platform.alice.post("/knowledge/handbook/documents", { source, text });
      expect(await platform.alice.ended(body.job_id)).toMatchObject({
        status: "completed",
        result: { data: { embedding } },
      });
    }
  });
  afterAll(async () => {
    await platform.stop();
    await chroma.stop();
  });

  const config = { collection: "handbook", top_k: 2 };
  const retrievals = (events: readonly SseEvent[]) => events.filter(({ data }) => data.type === "retrieval");

  test("a chat shows the passages, answers, and cites the passages that its answer names", async () => {
    const message = "How many days of holiday do I have? [[text=Thirty%20days%20[1].]]";
    const stream = await platform.alice.chat({ agent_type: "rag_basic", message, config });
    const events = await stream.all();
    expect(shownText(events)).toBe("Thirty days [1].");
    const found = retrievals(events);
    expect(found[0]?.data).toMatchObject({
      marker: "[1]",
      source: "holidays.md",
      heading: "Holidays",
      excerpt: expect.stringContaining("thirty days of holiday"),
      score: expect.any(Number),
    });
    const citations = events.at(-1)?.data.citations;
    expect(citations).toEqual([expect.objectContaining({ marker: "[1]", source: "holidays.md" })]);
    const [{ collection, document_id, position }] = citations as [Citation];
    const around = await platform.alice.get(
      `/knowledge/${collection}/documents/${document_id}/chunks?around=${position}`,
    );
    expect(around).toMatchObject({ status: 200, body: { document_id, source: "holidays.md" } });
    const cited = around.body.chunks.find((chunk: { position: number }) => chunk.position === position);
    expect(cited).toMatchObject({ heading: "Holidays", text: expect.stringContaining("thirty days of holiday") });
    expect((await platform.bob.get(`/knowledge/${collection}/documents/${document_id}/chunks`)).status).toBe(404);

    const job = await platform.alice.job(stream.jobId);
    expect(job.result).toEqual({ content: "Thirty days [1].", finish_reason: "stop", citations });
    expect(job.usage).toEqual(events.at(-1)?.data.usage);
    expect((await platform.alice.history(stream.sessionId)).at(-1)).toMatchObject({
      role: "assistant",
      metadata: { citations },
    });
    const [call] = await platform.model.calls({ contains: "days of holiday" });
    const { messages } = await platform.model.call(call?.id ?? 0);
    expect(messages?.[0]?.content).toContain("Everybody has thirty days of holiday a year.");

    // A stream replayed from the database and a JSON answer have the citations too.
    await forgetJob(platform, stream.jobId);
    expect((await (await platform.alice.follow(stream.jobId)).all()).at(-1)).toEqual(events.at(-1));
    const whole = await platform.alice.chatWhole(message, { agent_type: "rag_basic", config });
    expect(whole.body).toMatchObject({ message: { content: "Thirty days [1]." }, citations });
  });

  test("a polled execute job answers a Chinese question and cites all shown passages", async () => {
    const jobId = await platform.alice.execute("每年有多少天假期？", { config }, "rag_basic");
    const job = await platform.alice.ended(jobId);
    expect(job.status).toBe("completed");
    // An answer that names no passage cites all passages that the model got.
    const shown = retrievals(await (await platform.alice.follow(jobId)).all()).map(({ data }) => data.marker);
    expect(job.result.citations.map(({ marker }: { marker: string }) => marker)).toEqual(shown);
    expect(job.result.citations[0]).toMatchObject({ source: "holidays.md", heading: "假期" });
  });

  test("a question that means little by itself is searched together with the question before it", async () => {
    const first = await platform.alice.chat({ agent_type: "rag_basic", message: "Who books trains?", config });
    await first.all();
    const second = { agent_type: "rag_basic", session_id: first.sessionId, message: "And how early?", config };
    expect(retrievals(await (await platform.alice.chat(second)).all())[0]?.data.source).toBe("travel.md");
  });

  test("the tool search_documents finds passages in the collection of the config", async () => {
    const message = '[[calls=search_documents({"query":"When is the coffee machine cleaned?","top_k":1})]]';
    const toolConfig = { tools: ["search_documents"], collection: "handbook" };
    const events = await (await platform.alice.chat({ agent_type: "tool_basic", message, config: toolConfig })).all();
    expect(shownText(events)).toContain("cleaned on Fridays");
  });

  test("a collection of another owner does not exist", async () => {
    const events = await (await platform.bob.chat({ agent_type: "rag_basic", message: "Holidays?", config })).all();
    expect(events.at(-2)).toMatchObject({ event: "error", data: { code: "collection_not_found" } });
    expect(events.at(-1)).toMatchObject({ event: "done", data: { status: "failed" } });
  });
});
