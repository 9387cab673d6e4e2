/** The knowledge routes as tests call them with one key. */
import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { Answer, ApiClient, Json } from "./api-client.ts";

/** A collection that no other test uses. */
export const newCollection = () => `docs-${randomUUID().slice(0, 8)}`;
export const documentsOf = (collection: string) => `/knowledge/${collection}/documents`;

export type KnowledgeClient = ReturnType<typeof createKnowledgeClient>;

export function createKnowledgeClient(client: ApiClient) {
  /** The result of the ingest. */
  async function stored({ status, body }: Answer<Json>): Promise<Json> {
    expect([status, body.error]).toEqual([202, undefined]);
    const job = await client.ended(body.job_id);
    expect(job).toMatchObject({ status: "completed", agent_type: "knowledge.ingest", error: null });
    return job.result.data;
  }

  return {
    stored,
    store: async (collection: string, body: object) => stored(await client.post(documentsOf(collection), body)),
    postForm(collection: string, parts: Record<string, string | File>): Promise<Answer<Json>> {
      const form = new FormData();
      for (const [name, value] of Object.entries(parts)) form.append(name, value);
      return client.send("POST", documentsOf(collection), { body: form });
    },
    async query(collection: string, text: string, more: object = {}): Promise<Json> {
      const { status, body } = await client.post(`/knowledge/${collection}/query`, { query: text, ...more });
      expect([status, body.error]).toEqual([200, undefined]);
      return body;
    },
    list: async (collection: string): Promise<Json[]> => (await client.get(documentsOf(collection))).body.documents,
  };
}
