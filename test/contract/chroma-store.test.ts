import { createChromaStore } from "@agent-paas/agents/retrieval/chroma-store.ts";
import { afterAll, beforeAll } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import { startTestChroma } from "../support/chroma.ts";
import { vectorStoreContract } from "./vector-store-contract.ts";

let chroma: Server;

beforeAll(async () => {
  chroma = await startTestChroma();
});
afterAll(() => chroma.stop());

vectorStoreContract("Chroma", () => createChromaStore({ url: chroma.url }));
