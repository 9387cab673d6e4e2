/** Plans from a scripted model: the request, the reading of the answer, and the correction of a bad plan. */
import { expect, test } from "vitest";
import type { AgentEvent } from "../agent/events.ts";
import { createScriptedModel } from "../testing/scripted-model.ts";
import { makePlan, type PlanRequest } from "./make-plan.ts";

const agent = (id: string) => ({
  id,
  description: `Does ${id}.`,
  tools: [],
  unavailable_tools: [],
  client_tools: false,
  config_schema: {},
});
const REQUEST: PlanRequest = {
  guidance: "Be brief.",
  conversation: [{ role: "user", content: "Please" }],
  hasAttached: false,
  agents: [agent("chat"), agent("rag")],
  maxSteps: 2,
  options: { temperature: 0.5 },
};

const step = (id: string, more: object = {}) => ({ id, agent: "chat", task: "Do it.", ...more });
const json = (...steps: object[]) => JSON.stringify({ steps });

const make = (...answers: string[]) => makeFor(REQUEST, ...answers);

async function makeFor(request: PlanRequest, ...answers: string[]) {
  const model = createScriptedModel(...answers.map((answer) => ({ pieces: [answer] })));
  const events: AgentEvent[] = [];
  const making = makePlan(request, { model, signal: new AbortController().signal, locale: "en", owner: "ann" });
  for (;;) {
    const next = await making.next();
    if (next.done) return { plan: next.value, events, asked: model.requests };
    events.push(next.value);
  }
}

test("the request contains the agents and the schema, and the model's text is not shown as the answer", async () => {
  const { plan, events, asked } = await make(json(step("a"), step("b", { depends_on: ["a"] })));
  expect(plan.steps.map(({ id, depends_on }) => [id, depends_on])).toEqual([
    ["a", []],
    ["b", ["a"]],
  ]);
  const [request] = asked;
  expect(request).toMatchObject({ temperature: 0.5, keep: true, responseSchema: { type: "object" } });
  expect(request?.messages.at(-1)).toEqual({ role: "user", content: "Please" });
  const system = request?.messages[0]?.content;
  for (const part of ["Be brief.", "at most 2", '"agent":"rag","description":"Does rag."', '"depends_on"']) {
    expect(system).toContain(part);
  }
  expect(events.map(({ event, data }) => [event, data.type])).toEqual([["thought", "status"]]);
});

test("the model is told that images and files go to every agent, where there are any", async () => {
  const told = expect.stringContaining("images and files");
  const systemOf = async (hasAttached: boolean) =>
    (await makeFor({ ...REQUEST, hasAttached }, json(step("a")))).asked[0]?.messages[0]?.content;
  expect([await systemOf(true), await systemOf(false)]).toEqual([
    told,
    expect.not.stringContaining("images and files"),
  ]);
});

test("a plan is read despite a fence and words around its JSON", async () => {
  const { plan } = await make(`Here it is:\n\`\`\`json\n${json(step("a"))}\n\`\`\`\nGood luck!`);
  expect(plan.steps).toHaveLength(1);
});

test.each([
  ["no JSON", "I would rather not.", "it is not JSON"],
  ["another shape", json(step("a", { task: "" })), "steps.0.task: "],
  ["too many steps", json(step("a"), step("b"), step("c")), "it has more than 2 steps"],
  ["an unknown agent", json(step("a", { agent: "x" })), 'step "a": there is no agent "x"'],
])("a plan that cannot be carried out is returned to the model once, with the reason: %s", async (_, bad, reason) => {
  const { events, asked } = await make(bad, json(step("a")));
  expect(asked[1]?.messages.slice(-2)).toEqual([
    { role: "assistant", content: bad },
    { role: "user", content: expect.stringContaining(reason) },
  ]);
  expect(events.some(({ data }) => data.content.includes(reason))).toBe(true);
  await expect(make(bad, bad)).rejects.toMatchObject({
    code: "plan_invalid",
    message: expect.stringContaining(reason),
  });
});
