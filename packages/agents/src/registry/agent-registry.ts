/** The agents of one process: id → class and manifest. The composition root creates it and passes it down. */
import { type AgentManifest, AgentManifestSchema } from "@agent-paas/shared/contract/agents.ts";
import { z } from "zod";
import type { AgentClass } from "../agent/agent.ts";
import { matchesName } from "../tools/tool.ts";
import { createNameRegistry, type Holder } from "./name-registry.ts";
import type { Toolbox } from "./toolbox.ts";

const AGENT_ID = /^[a-z][a-z0-9_-]{0,63}$/;

export type AgentRegistry = {
  /**
   * Registers an agent class under an id. Throws when the id is not `a-z0-9_-`, or is taken, when the class lacks a
   * member, and when its config schema has no JSON Schema form. `holder` defaults to the platform.
   */
  register<Schema extends z.ZodType>(id: string, agent: AgentClass<Schema>, holder?: Holder): void;
  find(id: string): AgentClass | undefined;
  /** What workers publish of their agents; `toolbox` has the tools that `x*` in an agent's `tools` may match. */
  manifests(toolbox: Pick<Toolbox, "names" | "unavailable">): AgentManifest[];
  /** Removes what the plugin `file` registered, and refuses whatever it registers later. */
  revoke(file: string): void;
};

export function createAgentRegistry(): AgentRegistry {
  const agents = createNameRegistry<{ readonly agent: AgentClass; readonly manifest: AgentManifest }>("agent");
  return {
    register(id, agent, holder = null) {
      if (!AGENT_ID.test(id)) {
        throw new Error(`"${id}" is no agent id: use a-z, 0-9, '_' and '-', starting with a letter`);
      }
      // The parameter of `run` is contravariant in the schema; the runner parses a config by the agent's own schema.
      agents.add(id, { agent: agent as unknown as AgentClass, manifest: describe(id, agent) }, holder);
    },
    find: (id) => agents.get(id)?.agent,
    manifests(toolbox) {
      const [names, unavailable] = [toolbox.names(), toolbox.unavailable()];
      return agents.values().map(({ manifest }) => ({
        ...manifest,
        tools: expand(manifest.tools, names),
        unavailable_tools: unavailable.filter(({ name }) => manifest.tools.some((tool) => matchesName(tool, name))),
      }));
    },
    revoke: agents.revoke,
  };
}

/** Checks at run time what types promise, because Node strips the types of a plugin without checking them. */
function describe<Schema extends z.ZodType>(id: string, agent: AgentClass<Schema>): AgentManifest {
  if (typeof agent.prototype?.run !== "function") throw new Error(`The agent "${id}" has no method "run"`);
  if (!(agent.config instanceof z.ZodType)) throw new Error(`The agent "${id}" has no Zod schema as static "config"`);
  const { description, tools = [], clientTools = false, needsMessage } = agent;
  const schema = z.toJSONSchema(agent.config, { io: "input" });
  // The API rebuilds this schema to check requests; a schema that it cannot rebuild must fail here.
  z.fromJSONSchema(schema);
  const manifest = AgentManifestSchema.safeParse({
    ...{ id, description, config_schema: schema, tools },
    ...{ client_tools: clientTools, needs_message: needsMessage },
  });
  if (!manifest.success) throw new Error(`The agent "${id}" is incomplete: ${z.prettifyError(manifest.error)}`);
  return manifest.data;
}

/** A plain name stays as it is: the agent may have defined that tool itself, outside the toolbox. */
const expand = (patterns: readonly string[], toolNames: readonly string[]): string[] => [
  ...new Set(
    patterns.flatMap((pattern) =>
      pattern.endsWith("*") ? toolNames.filter((name) => matchesName(pattern, name)) : [pattern],
    ),
  ),
];
