import type { AgentManifest } from "@agent-paas/shared/contract/agents.ts";
import { expect, test } from "vitest";
import { findProblem, MAX_STEPS, PlanSchema } from "./plan.ts";

const manifest = (id: string, config_schema: Record<string, unknown> = {}): AgentManifest => ({
  id,
  description: "",
  tools: [],
  unavailable_tools: [],
  client_tools: false,
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
const problemOf = (...steps: StepInput[]) => findProblem(parse(...steps), AGENTS, "ann");

test("a step may depend on any other step, even on a later one", async () => {
  expect(await problemOf({ id: "a" })).toBeNull();
  expect(await problemOf({ id: "c", depends_on: ["a", "b"] }, { id: "b", depends_on: ["a"] }, { id: "a" })).toBeNull();
  expect(await problemOf({ id: "a", agent: "rag", config: { collection: "docs" } })).toBeNull();
});

test.each([
  ["two steps with one id", [{ id: "a" }, { id: "a" }], 'two steps have the id "a"'],
  [
    "an unknown agent",
    [{ id: "a", agent: "x" }],
    'step "a": there is no agent "x" to delegate to; there are: chat, rag, odd',
  ],
  ["an unknown dependency", [{ id: "a", depends_on: ["b"] }], 'step "a" depends on "b", which is no step'],
  [
    "a step that depends on itself",
    [{ id: "a", depends_on: ["a"] }],
    "steps that wait for each other can never start: a",
  ],
  [
    "a cycle, and a step that depends on it",
    [{ id: "a", depends_on: ["b"] }, { id: "b", depends_on: ["a"] }, { id: "c", depends_on: ["b"] }, { id: "d" }],
    "steps that wait for each other can never start: a, b, c",
  ],
  [
    "a config that does not fit",
    [{ id: "a", agent: "rag" }],
    `step "a": its config does not fit rag: the value must have required property 'collection'`,
  ],
])("the problem of an impossible plan is named: %s", async (_, steps, problem) => {
  expect(await problemOf(...steps)).toBe(problem);
});

test("a config is not checked when its schema cannot be compiled", async () => {
  expect(await problemOf({ id: "a", agent: "odd" })).toBeNull();
});

test("the size of a plan and of each field is limited", () => {
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
