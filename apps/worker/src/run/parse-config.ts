import type { AgentClass } from "@agent-paas/agents/agent/agent.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";

/** Checks a config with the schema of the agent and fills in defaults. Throws `invalid_config`. */
export function parseConfig(agent: AgentClass, config: Readonly<Record<string, unknown>>): unknown {
  const parsed = agent.config.safeParse(config);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new PlatformError("invalid_config", { message: `config.${issue?.path.join(".")}: ${issue?.message}` });
}
