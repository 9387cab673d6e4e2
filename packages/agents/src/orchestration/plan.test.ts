import type { AgentManifest } from "@agent-paas/shared/contract/agents.ts";
import { expect, test } from "vitest";
import { findProblem, MAX_STEPS, PlanSchema } from "./plan.ts";

const manifest = (id: string, config_schema: Record<string, unknown> = {}): AgentManifest => ({
  id,
  description: "",
  tools: [],
  config_schema,
});
const AGENTS = [
  manifest("chat"),
  manifest("rag", { type: "object", properties: { collection: { type: "string" } }, required: ["collection"] }),
  manifest("odd", { type: "object", properties: { name: { pattern: "(?=beyond linear patterns)" } } }),
];

type StepInput = { id: string; agent?: string; depends_on?: string[]; config?: Record<string, unknown> };
const parse = (...steps: StepInput[]) =>
  PlanSchema.parse({ steps: steps.map((step) => ({ agent: "chat", task: "t", ...step })) });
const problemOf = (...steps: StepInput[]) => findProblem(parse(...steps), AGENTS);

test("steps may depend on any others, also on later ones, while none waits for itself", () => {
  expect(problemOf({ id: "a" })).toBeNull();
  expect(problemOf({ id: "c", depends_on: ["a", "b"] }, { id: "b", depends_on: ["a"] }, { id: "a" })).toBeNull();
  expect(problemOf({ id: "a", agent: "rag", config: { collection: "docs" } })).toBeNull();
});

test.each([
  ["two of one id", [{ id: "a" }, { id: "a" }], 'two steps have the id "a"'],
  [
    "an unknown agent",
    [{ id: "a", agent: "x" }],
    'step "a": there is no agent "x" to delegate to; there are: chat, rag, odd',
  ],
  ["an unknown dependency", [{ id: "a", depends_on: ["b"] }], 'step "a" depends on "b", which is no step'],
  ["itself", [{ id: "a", depends_on: ["a"] }], "steps that wait for each other can never start: a"],
  [
    "a circle, and one behind it",
    [{ id: "a", depends_on: ["b"] }, { id: "b", depends_on: ["a"] }, { id: "c", depends_on: ["b"] }, { id: "d" }],
    "steps that wait for each other can never start: a, b, c",
  ],
  [
    "a config that does not fit",
    [{ id: "a", agent: "rag" }],
    `step "a": its config does not fit rag: the value must have required property 'collection'`,
  ],
])("what makes a plan impossible is named: %s", (_, steps, problem) => {
  expect(problemOf(...steps)).toBe(problem);
});

test("a config schema beyond what is known is left to the agent itself", () => {
  expect(problemOf({ id: "a", agent: "odd" })).toBeNull();
});

test("the sizes of a plan are bounded", () => {
  const step = { id: "a", agent: "chat", task: "t" };
  const fits = (plan: unknown) => PlanSchema.safeParse(plan).success;
  const many = (count: number) => Array.from({ length: count }, (_, at) => ({ ...step, id: `s${at}` }));
  expect(fits({ steps: many(MAX_STEPS) })).toBe(true);
  expect(fits({ steps: many(MAX_STEPS + 1) })).toBe(false);
  expect(fits({ steps: [] })).toBe(false);
  for (const wrong of [
    { id: "A b" },
    { id: "" },
    { task: "" },
    { task: "x".repeat(16_001) },
    { on_failure: "no" },
    { more: 1 },
  ]) {
    expect(fits({ steps: [{ ...step, ...wrong }] })).toBe(false);
  }
});
