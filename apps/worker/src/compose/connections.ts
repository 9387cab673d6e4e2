/**
 * What talks HTTP to others: model, vector store, MCP servers. Their clients are half of what a worker can load, so
 * each is loaded when it is first needed. Part of the composition root.
 */
import type { Embedder } from "@agent-paas/agents/model/embedder.ts";
import { createLazyEmbedder } from "@agent-paas/agents/model/lazy-model.ts";
import type { ModelLimits, OpenAiProvider } from "@agent-paas/agents/model/openai/provider.ts";
import { createLazyStore } from "@agent-paas/agents/retrieval/lazy-store.ts";
import type { VectorStore } from "@agent-paas/agents/retrieval/vector-store.ts";
import type { McpTools } from "@agent-paas/agents/tools/mcp/mcp-tools.ts";
import { chromaHeaders } from "@agent-paas/shared/config/common-config.ts";
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { WorkerConfig } from "../config.ts";

export type ProviderAddress = {
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Default: those of the settings. */
  readonly limits?: Partial<ModelLimits>;
};

export type Connections = {
  /** Opens the model provider when it is first used, once; the same one for the same address. */
  provider(address: ProviderAddress): () => Promise<OpenAiProvider>;
  /** The embedder by the provider's model of that name. */
  embedder(model: string): Embedder;
  /** Null without `CHROMA_URL`. */
  readonly store: VectorStore | null;
  mcp(): Promise<McpTools>;
  /** Gives `fetch` the platform's connections: before code of others runs. */
  useForFetch(): Promise<void>;
};

const NO_MCP_TOOLS: McpTools = {
  list: () => [],
  unavailable: () => [],
  expects: () => false,
  start: () => {},
  close: async () => {},
};

export function createConnections(config: WorkerConfig, logger: Logger, releasers: Releasers): Connections {
  const proxy = { http: config.HTTP_PROXY, https: config.HTTPS_PROXY, bypass: config.NO_PROXY };

  /** `open`, once. Its release is registered now: the running jobs, which are registered later, stop before it. */
  function opening<T>(name: string, open: () => Promise<T>, close: (opened: T) => Promise<void>): () => Promise<T> {
    let opened: T | undefined;
    releasers.add(name, async () => opened && close(opened));
    return once(async () => (opened = await open()));
  }

  const httpAgent = opening(
    "http connections",
    async () => {
      const { createHttpAgent, useForFetch } = await import("@agent-paas/agents/http/http-agent.ts");
      const agent = createHttpAgent({ proxy });
      useForFetch(agent);
      return agent;
    },
    (agent) => agent.destroy(),
  );

  const providers = new Map<string, () => Promise<OpenAiProvider>>();

  function provider({ baseUrl, apiKey, limits: own = {} }: ProviderAddress): () => Promise<OpenAiProvider> {
    const limits = { ...limitsOf(config), ...own };
    const address = JSON.stringify([baseUrl, apiKey, limits]);
    const known = providers.get(address);
    if (known !== undefined) return known;
    const open = async () => {
      await httpAgent();
      const { createOpenAiProvider } = await import("@agent-paas/agents/model/openai/provider.ts");
      return createOpenAiProvider({ baseUrl, apiKey, limits, proxy });
    };
    const opened = opening("model provider", open, (provider) => provider.close());
    providers.set(address, opened);
    return opened;
  }

  function openStore(url: string): VectorStore {
    const open = once(async () => {
      await httpAgent();
      const { createChromaStore } = await import("@agent-paas/agents/retrieval/chroma-store.ts");
      return createChromaStore({ url, headers: chromaHeaders(config) });
    });
    return createLazyStore(open);
  }

  return {
    provider,
    embedder(model) {
      const embeddings = provider({
        baseUrl: config.EMBEDDING_BASE_URL ?? config.OPENAI_BASE_URL,
        apiKey: config.EMBEDDING_API_KEY ?? config.OPENAI_API_KEY,
      });
      const open = once(async () => (await embeddings()).embedder(model, config.EMBEDDING_BATCH_SIZE));
      return createLazyEmbedder(model, open);
    },
    store: config.CHROMA_URL === undefined ? null : openStore(config.CHROMA_URL),
    async mcp() {
      const { MCP_SERVERS: servers = {} } = config;
      if (Object.keys(servers).length === 0) return NO_MCP_TOOLS;
      await httpAgent();
      const { createMcpTools } = await import("@agent-paas/agents/tools/mcp/mcp-tools.ts");
      return createMcpTools(servers, logger);
    },
    useForFetch: async () => void (await httpAgent()),
  };
}

const limitsOf = (config: WorkerConfig): ModelLimits => ({
  connectMs: config.MODEL_CONNECT_TIMEOUT_MS,
  firstTokenMs: config.MODEL_FIRST_TOKEN_TIMEOUT_MS,
  idleMs: config.MODEL_IDLE_TIMEOUT_MS,
  totalMs: config.MODEL_TOTAL_TIMEOUT_MS,
});

/** The same promise at every call. Work that has failed is tried again: a module cannot be read without descriptors. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => {
    done ??= work().catch((error: unknown) => {
      done = undefined;
      throw error;
    });
    return done;
  };
}
