import { createChromaStore } from "@agent-paas/agents/retrieval/chroma-store.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import { startTestChroma } from "../support/chroma.ts";
import { vectorStoreContract } from "./vector-store-contract.ts";

let chroma: Server;

beforeAll(async () => {
  chroma = await startTestChroma();
});
afterAll(() => chroma.stop());

vectorStoreContract("Chroma", () => createChromaStore({ url: chroma.url }));

test("a collection that another process deletes and makes anew is found again", async () => {
  const { signal } = new AbortController();
  const [ours, theirs] = [createChromaStore({ url: chroma.url }), createChromaStore({ url: chroma.url })];
  const chunk = { documentId: "1", version: "1", source: "a", heading: "", position: 0, embedding: [1, 0] };
  const find = async () => (await ours.query("shared", [1, 0], 10, signal)).map(({ content }) => content);
  await theirs.upsert("shared", [{ ...chunk, id: "1", content: "before" }], signal);
  expect(await find()).toEqual(["before"]);
  await theirs.deleteCollection("shared", signal);
  expect(await find()).toEqual([]);
  await theirs.upsert("shared", [{ ...chunk, id: "2", content: "after" }], signal);
  expect(await find()).toEqual(["after"]);
});
