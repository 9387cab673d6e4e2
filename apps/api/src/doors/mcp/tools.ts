/** Agents as tools. An agent's id is a legal name of a tool. */
import type { AgentManifest } from "@agent-paas/shared/contract/agents.ts";
import { isFields } from "@agent-paas/shared/json/fields.ts";

type JsonSchema = Readonly<Record<string, unknown>>;

const MESSAGE = { type: "string", minLength: 1, description: "What to ask or tell the agent." } as const;
const SESSION_ID = {
  type: "string",
  format: "uuid",
  description: "The session_id of an earlier result, to go on with that conversation. Without it a new one begins.",
} as const;

export const toolOf = (agent: AgentManifest) => {
  const outputSchema = outputSchemaOf(agent);
  return {
    name: agent.id,
    description: agent.description,
    inputSchema: inputSchemaOf(agent),
    ...(outputSchema === null ? {} : { outputSchema }),
  };
};

function inputSchemaOf({ config_schema, needs_message }: AgentManifest): JsonSchema {
  const { $schema: _, $defs, ...config } = rebased(config_schema);
  const isRequired = Array.isArray(config.required) && config.required.length > 0;
  return {
    type: "object",
    properties: { message: MESSAGE, session_id: SESSION_ID, config },
    required: [...(needs_message === false ? [] : ["message"]), ...(isRequired ? ["config"] : [])],
    additionalProperties: false,
    ...($defs === undefined ? {} : { $defs }),
  };
}

/** References of the config's schema, which is a part of another schema here; definitions go to that one's root. */
function rebased(schema: JsonSchema): JsonSchema {
  const rebase = (key: string, value: unknown) =>
    key === "$ref" && typeof value === "string" && value.startsWith("#") && !value.startsWith("#/$defs/")
      ? `#/properties/config${value.slice(1)}`
      : value;
  return JSON.parse(JSON.stringify(schema), rebase);
}

/** The schema that the agent's answers have unless a request brings another; clients take no other than objects. */
export function outputSchemaOf({ config_schema }: AgentManifest): JsonSchema | null {
  const { properties } = config_schema;
  const { response_schema } = (isFields(properties) ? properties : {}) as { readonly response_schema?: unknown };
  const schema = isFields(response_schema) ? response_schema.default : undefined;
  return isFields(schema) && schema.type === "object" ? schema : null;
}
