/**
 * Asks the model for a plan over the registered agents. A plan that cannot be carried out is returned to the model
 * once, with the reason.
 */

import type { AgentManifest } from "@agent-paas/shared/contract/agents.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { withoutAbsentNulls } from "@agent-paas/shared/json/absent-nulls.ts";
import { z } from "zod";
import type { AgentContext } from "../agent/agent.ts";
import { AGENT_TEXTS } from "../agent/agent-texts.ts";
import { type AgentEvent, thought } from "../agent/events.ts";
import { type Accepted, type Refused, readJson } from "../answer/read-json.ts";
import { untilAborted } from "../job/until-aborted.ts";
import type { ModelMessage, ModelOptions, ModelRequest, ModelTurn } from "../model/model.ts";
import { findProblem, type Plan, PlanSchema } from "./plan.ts";

export type PlanRequest = {
  /** The system prompt of the request, if it has one. */
  readonly guidance: string | undefined;
  /** Earlier messages of the session and the message itself. */
  readonly conversation: readonly ModelMessage[];
  /** Whether the message has images or files, which go to every step's agent. */
  readonly hasAttached: boolean;
  readonly agents: readonly AgentManifest[];
  readonly maxSteps: number;
  readonly options: ModelOptions;
};

const { $schema: _, ...PLAN_JSON_SCHEMA } = z.toJSONSchema(PlanSchema, { io: "input" });

/** A larger config schema is left out of the prompt, so the model can only use the agent with its defaults. */
const MAX_SHOWN_SCHEMA_CHARS = 4_000;

/** Throws `plan_invalid` when the second plan cannot be carried out either, and what the model and the budget throw. */
export async function* makePlan(
  request: PlanRequest,
  context: Pick<AgentContext<unknown>, "model" | "signal" | "locale" | "owner">,
): AsyncGenerator<AgentEvent, Plan> {
  const texts = AGENT_TEXTS[context.locale];
  const { conversation, options } = request;
  const messages: ModelMessage[] = [{ role: "system", content: instructions(request) }, ...conversation];
  yield thought("status", texts.planning);
  for (let mayRetry = true; ; mayRetry = false) {
    // `keep`: the turn's usage still counts when the job starts over.
    const turn = yield* think(
      { ...options, messages: [...messages], responseSchema: PLAN_JSON_SCHEMA, keep: true },
      context,
    );
    const accept = (value: unknown) => checkPlan(value, request, context.owner);
    const reading = readJson({ words: turn.content, type: PLAN_JSON_SCHEMA.type, accept });
    const read = await untilAborted(reading, context.signal);
    if (read.problem === null) return read.value;
    if (!mayRetry)
      throw new PlatformError("plan_invalid", { message: `The model's plan cannot be carried out: ${read.problem}.` });
    yield thought("status", texts.repairingPlan(read.problem));
    const problem = `This plan cannot be carried out: ${read.problem}.`;
    const correction = `${problem} Answer again, with nothing but JSON that fits.`;
    messages.push({ role: "assistant", content: turn.content }, { role: "user", content: correction });
  }
}

/** Runs a turn whose text is not part of the answer: only its reasoning is shown. */
async function* think(
  request: ModelRequest,
  { model, signal }: Pick<AgentContext<unknown>, "model" | "signal">,
): AsyncGenerator<AgentEvent, ModelTurn> {
  const chunks = model.stream(request, signal);
  try {
    for (;;) {
      const next = await chunks.next();
      if (next.done) return next.value;
      if (next.value.type === "reasoning") yield thought("reasoning", next.value.content);
    }
  } finally {
    await chunks.return(undefined as never);
  }
}

function instructions({ guidance, hasAttached, agents, maxSteps }: PlanRequest): string {
  return [
    ...(guidance === undefined ? [] : [guidance, ""]),
    `Plan how the agents below are to do what the user asks, in as few steps as it takes and at most ${maxSteps}.`,
    "An agent sees its step's task and the results of the steps it depends on, " +
      "and nothing of the conversation: write all it needs into the task, in the user's language.",
    ...(hasAttached ? ["The images and files of the user's message go to every agent with its task."] : []),
    "Steps that do not depend on each other run side by side. " +
      "The answer is written from the results afterwards; that is not a step.",
    "",
    "The agents:",
    ...agents.map(describeAgent),
    "",
    `Answer with nothing but JSON that fits this JSON Schema:\n${JSON.stringify(PLAN_JSON_SCHEMA)}`,
  ].join("\n");
}

function describeAgent({ id, description, tools, config_schema: schema }: AgentManifest): string {
  const small = JSON.stringify(schema).length <= MAX_SHOWN_SCHEMA_CHARS;
  return JSON.stringify({ agent: id, description, tools, ...(small ? { config_schema: schema } : {}) });
}

type CheckedPlan = Accepted<Plan> | Refused;

async function checkPlan(value: unknown, { agents, maxSteps }: PlanRequest, owner: string): Promise<CheckedPlan> {
  const parsed = PlanSchema.safeParse(withoutAbsentNulls(PLAN_JSON_SCHEMA, value));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { problem: `${issue?.path.join(".")}: ${issue?.message}` };
  }
  const plan = parsed.data;
  if (plan.steps.length > maxSteps) return { problem: `it has more than ${maxSteps} steps` };
  const problem = await findProblem(plan, agents, owner);
  return problem === null ? { problem, value: plan } : { problem };
}
