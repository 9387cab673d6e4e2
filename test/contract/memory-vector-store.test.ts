import { createMemoryVectorStore } from "@agent-paas/agents/testing";
import { vectorStoreContract } from "./vector-store-contract.ts";

vectorStoreContract("in memory", createMemoryVectorStore);
