import type { AgentClass } from "@agent-paas/agents/agent/agent.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { withoutAbsentNulls } from "@agent-paas/shared/json/absent-nulls.ts";
import { z } from "zod";

/**
 * Checks a config with the schema of the agent and fills in defaults; null is the absence of an optional field. Throws
 * `invalid_config`.
 */
export function parseConfig(agent: AgentClass, config: Readonly<Record<string, unknown>>): unknown {
  const asGiven = agent.config.safeParse(config);
  if (asGiven.success) return asGiven.data;
  const schema = z.toJSONSchema(agent.config, { io: "input", unrepresentable: "any" });
  const parsed = agent.config.safeParse(withoutAbsentNulls(schema, config));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new PlatformError("invalid_config", { message: `config.${issue?.path.join(".")}: ${issue?.message}` });
}
