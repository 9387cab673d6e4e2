/** A plan is steps with agents, tasks and dependencies. This checks whether the registered agents can carry one out. */

import type { AgentManifest } from "@agent-paas/shared/contract/agents.ts";
import { withoutAbsentNulls } from "@agent-paas/shared/json/absent-nulls.ts";
import { z } from "zod";
import { compileSchema, InvalidSchema, type SchemaCheck } from "../json-schema/json-schema.ts";

/** Most steps of a plan, from the model or from a config. */
export const MAX_STEPS = 32;

const StepIdSchema = z.string().regex(/^[a-z0-9_-]{1,64}$/, "use a-z, 0-9, '_' and '-', at most 64");

const PlanStepSchema = z.strictObject({
  id: StepIdSchema,
  agent: z.string().min(1).max(64).describe("The agent that does the step."),
  task: z.string().min(1).max(16_000).describe("What the agent is told; results of other steps are added to it."),
  input: z.unknown().optional().describe("Data that belongs to the task."),
  config: z.record(z.string(), z.unknown()).default({}).describe("The agent's config."),
  depends_on: z
    .array(StepIdSchema)
    .max(MAX_STEPS)
    .default([])
    .describe("Steps that must have ended before; the agent is given their results."),
  on_failure: z
    .enum(["continue", "stop"])
    .default("continue")
    .describe("When the step fails: the others go on and are told, or all of it stops."),
});

export const PlanSchema = z.strictObject({ steps: z.array(PlanStepSchema).min(1).max(MAX_STEPS) });

export type PlanStep = z.output<typeof PlanStepSchema>;
export type Plan = z.output<typeof PlanSchema>;

/** Why these agents cannot carry out the owner's plan, as a text that names the step; null when they can. */
export async function findProblem(
  { steps }: Plan,
  agents: readonly AgentManifest[],
  owner: string,
): Promise<string | null> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  for (const step of steps) {
    if (byId.get(step.id) !== step) return `two steps have the id "${step.id}"`;
    const agent = agents.find(({ id }) => id === step.agent);
    if (agent === undefined) {
      const known = agents.map(({ id }) => id).join(", ");
      return `step "${step.id}": there is no agent "${step.agent}" to delegate to; there are: ${known}`;
    }
    const misfit = await checkConfig(agent, step.config, owner);
    if (misfit !== null) return `step "${step.id}": its config does not fit ${agent.id}: ${misfit}`;
    const unknown = step.depends_on.find((id) => !byId.has(id));
    if (unknown !== undefined) return `step "${step.id}" depends on "${unknown}", which is no step`;
  }
  const stuck = findCircle(steps);
  if (stuck.length > 0) return `steps that wait for each other can never start: ${stuck.join(", ")}`;
  return null;
}

/** The ids of the steps that can never start, because they wait for each other or for such a step. */
function findCircle(steps: readonly PlanStep[]): string[] {
  let waiting = steps;
  for (;;) {
    const ids = new Set(waiting.map(({ id }) => id));
    const stillWaiting = waiting.filter(({ depends_on }) => depends_on.some((id) => ids.has(id)));
    if (stillWaiting.length === waiting.length) return [...ids];
    waiting = stillWaiting;
  }
}

async function checkConfig(
  { config_schema }: AgentManifest,
  config: Readonly<Record<string, unknown>>,
  owner: string,
): Promise<string | null> {
  let check: SchemaCheck;
  try {
    check = await compileSchema(config_schema, owner);
  } catch (error) {
    if (!(error instanceof InvalidSchema)) throw error;
    // This schema cannot be compiled here. The agent parses its config by itself when the step runs.
    return null;
  }
  return check(withoutAbsentNulls(config_schema, config));
}
