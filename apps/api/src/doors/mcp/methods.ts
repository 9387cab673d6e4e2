/** The requests that a process answers by itself. */
import { isFields } from "@agent-paas/shared/json/fields.ts";
import type { Services } from "../../services.ts";
import { showsForms } from "./inquiries.ts";
import { modernResult, RpcError, SERVER_INFO } from "./json-rpc.ts";
import { LEGACY_VERSIONS, SUPPORTED_VERSIONS } from "./protocol.ts";
import { toolOf } from "./tools.ts";

/** The list may change with each worker that comes or goes; a list as old as the catalog's is as good as a new one. */
const LIST_TTL_MS = 5_000;

const CAPABILITIES = { tools: {} } as const;

const INSTRUCTIONS =
  "Each tool is an agent. Its result ends with a session_id; give it with the next call to go on with the conversation.";

const tools = async ({ agentCatalog }: Pick<Services, "agentCatalog">) => {
  const { agents } = await agentCatalog.refresh();
  const offered = [...agents.values()].filter(({ workers }) => workers > 0);
  return offered.sort((a, b) => (a.id < b.id ? -1 : 1)).map(toolOf);
};

export type Handshake = { readonly result: object; readonly elicits: boolean };

/** The newest revision of the handshake is offered to a client that asks for one that there is not. */
export function initialize(params: Readonly<Record<string, unknown>>): Handshake {
  const { protocolVersion, capabilities } = params;
  if (typeof protocolVersion !== "string") throw new RpcError("invalid_params", "protocolVersion: is required", 200);
  const known = LEGACY_VERSIONS.find((version) => version === protocolVersion);
  const result = {
    protocolVersion: known ?? LEGACY_VERSIONS[0],
    ...{ capabilities: CAPABILITIES, serverInfo: SERVER_INFO, instructions: INSTRUCTIONS },
  };
  return { result, elicits: isFields(capabilities) && showsForms(capabilities) };
}

type Method = (services: Services) => Promise<object> | object;

export const LEGACY_METHODS: Readonly<Record<string, Method>> = {
  ping: () => ({}),
  "tools/list": async (services) => ({ tools: await tools(services) }),
};

export const MODERN_METHODS: Readonly<Record<string, Method>> = {
  "server/discover": () =>
    modernResult({
      ...{ supportedVersions: SUPPORTED_VERSIONS, capabilities: CAPABILITIES, instructions: INSTRUCTIONS },
      ...{ ttlMs: LIST_TTL_MS, cacheScope: "private" },
    }),
  "tools/list": async (services) =>
    modernResult({ ...{ tools: await tools(services), ttlMs: LIST_TTL_MS, cacheScope: "private" } }),
};
