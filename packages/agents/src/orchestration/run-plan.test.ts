/**
 * Plans on scripted children: the order of steps, their events, the effect of failures, and that no child keeps
 * running.
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { expect, test } from "vitest";
import type { Agents, ChildOutcome, ChildRequest } from "../agent/delegation.ts";
import { type AgentEvent, text } from "../agent/events.ts";
import { untilAborted } from "../job/until-aborted.ts";
import { createJournalStore, createMemoryJournal } from "../testing/memory-journal.ts";
import { type Plan, PlanSchema } from "./plan.ts";
import { runPlan } from "./run-plan.ts";

/** The behaviour of a child. The default yields one text and ends. */
type Script = (child: ChildRequest, signal: AbortSignal) => AsyncGenerator<AgentEvent, ChildOutcome>;

const hang: Script = async function* (_, signal) {
  yield text("waiting");
  return untilAborted(new Promise<ChildOutcome>(() => {}), signal);
};
const fail = (error: Error): Script =>
  async function* () {
    yield text("half");
    throw error;
  };

function setUp(scripts: Record<string, Script[] | Script> = {}, kept = createJournalStore()) {
  const began: ChildRequest[] = [];
  const open = new Set<string>();
  const cancel = new AbortController();
  const agents: Agents = {
    list: () => [],
    async *run(child, signal) {
      began.push(child);
      const script = scripts[child.name];
      const now = Array.isArray(script) ? script.shift() : script;
      open.add(child.name);
      try {
        if (now !== undefined) return yield* now(child, signal);
        yield text(`${child.name} done`);
        return { content: `${child.name} done` };
      } finally {
        open.delete(child.name);
      }
    },
  };
  const journal = createMemoryJournal(kept);
  const logger = { info() {}, warn() {}, error() {} };
  const context = { agents, journal, logger, locale: "en", signal: cancel.signal, attached: [] } as const;
  return { began, open, cancel, context, kept };
}

type StepInput = { id: string; depends_on?: string[]; on_failure?: string };
const planOf = (...steps: StepInput[]): Plan =>
  PlanSchema.parse({ steps: steps.map((step) => ({ agent: "child", task: `Task of ${step.id}`, ...step })) });

/** `status step` of each delegate thought, in order. */
const shown = (events: readonly AgentEvent[]) =>
  events.flatMap(({ data }) => ("step" in data ? [`${data.status} ${data.step}`] : []));

async function run(plan: Plan, context: Parameters<typeof runPlan>[2], fanOut = 4) {
  const events: AgentEvent[] = [];
  const steps = runPlan(plan, fanOut, context);
  for (;;) {
    const step = await steps.next();
    if (step.done) return { events, results: step.value };
    events.push(step.value);
  }
}

test("a step starts when what it depends on has ended, and is given its results", async () => {
  const { began, context } = setUp();
  const plan = planOf({ id: "c", depends_on: ["a", "b"] }, { id: "a" }, { id: "b" });
  const { events, results } = await run(plan, context);
  expect(began.map(({ name }) => name)).toEqual(["a", "b", "c"]);
  expect(began[2]?.task).toMatch(/^Task of c\n[\s\S]*a done[\s\S]*b done/);
  expect(shown(events).slice(-3)).toEqual(["started c", "event c", "completed c"]);
  expect(results.map(({ step }) => step.id)).toEqual(["c", "a", "b"]);
  expect(events.flatMap(({ data }) => (data.type === "progress" ? [data.content] : []))).toEqual([
    "1 of 3 steps ended",
    "2 of 3 steps ended",
    "3 of 3 steps ended",
  ]);
});

test("no more steps run at once than allowed", async () => {
  let running = 0;
  let most = 0;
  const counted: Script = async function* () {
    most = Math.max(most, ++running);
    yield text("1");
    yield text("2");
    running -= 1;
    return { content: "12" };
  };
  const ids = ["a", "b", "c", "d", "e", "f", "g"];
  const { context } = setUp(Object.fromEntries(ids.map((id) => [id, counted])));
  await run(planOf(...ids.map((id) => ({ id }))), context, 3);
  expect(most).toBe(3);
});

test("the failure of a step is a result for dependent steps and does not fail the plan", async () => {
  const { began, context } = setUp({ a: fail(new PlatformError("model_rejected")) });
  const { events, results } = await run(planOf({ id: "a" }, { id: "b", depends_on: ["a"] }), context);
  expect(shown(events)).toEqual(["started a", "event a", "failed a", "started b", "event b", "completed b"]);
  expect(began[1]?.task).toContain('status="failed">\nmodel_rejected: ');
  expect(results.map(({ outcome }) => outcome.status)).toEqual(["failed", "completed"]);
});

test("a step runs once more after a retryable failure, and a second one fails the plan with its code", async () => {
  const away = fail(new PlatformError("model_unavailable"));
  const once = setUp({ a: [away] });
  expect(shown((await run(planOf({ id: "a" }), once.context)).events)).toEqual([
    ...["started a", "event a", "retrying a", "event a", "completed a"],
  ]);
  expect(once.began.map(({ name }) => name)).toEqual(["a", "a"]);
  const twice = setUp({ a: [away, away] });
  await expect(run(planOf({ id: "a" }), twice.context)).rejects.toMatchObject({ code: "model_unavailable" });
});

test("the message of an error that is no PlatformError is not shown", async () => {
  const { context } = setUp({ a: fail(new Error("secret")) });
  const { events, results } = await run(planOf({ id: "a" }, { id: "b" }), context);
  expect(results[0]?.outcome).toMatchObject({ status: "failed", error: { code: "agent_failed" } });
  expect(JSON.stringify(events)).not.toContain("secret");
});

test("a failed step with on_failure stop ends the plan: running steps stop, waiting steps are skipped", async () => {
  const broken = fail(new PlatformError("model_rejected", { message: "Not this." }));
  const { began, open, context } = setUp({ a: broken, b: hang });
  const plan = planOf({ id: "a", on_failure: "stop" }, { id: "b" }, { id: "c", depends_on: ["b"] });
  const events: AgentEvent[] = [];
  const failing = (async () => {
    for await (const event of runPlan(plan, 4, context)) events.push(event);
  })();
  await expect(failing).rejects.toMatchObject({
    code: "delegation_failed",
    message: 'step "a" (child) failed: model_rejected: Not this.',
  });
  expect(shown(events).slice(-2)).toEqual(["skipped b", "skipped c"]);
  expect(began.map(({ name }) => name)).toEqual(["a", "b"]);
  expect(open.size).toBe(0);
});

test("cancelling the job stops every child and counts none as failed", async () => {
  const { open, cancel, context } = setUp({ a: hang, b: hang });
  const steps = runPlan(planOf({ id: "a" }, { id: "b" }), 4, context);
  const events: AgentEvent[] = [];
  const reason = new Error("cancelled");
  const reading = (async () => {
    for await (const event of steps) {
      events.push(event);
      if (shown(events).filter((what) => what.startsWith("event")).length === 2) cancel.abort(reason);
    }
  })();
  await expect(reading).rejects.toBe(reason);
  expect(shown(events)).not.toContain("failed a");
  expect(open.size).toBe(0);
});

test("a reader that stops early closes every child", async () => {
  const { open, context } = setUp({ a: hang, b: hang });
  for await (const event of runPlan(planOf({ id: "a" }, { id: "b" }), 4, context)) {
    if (shown([event])[0] === "event b") break;
  }
  expect(open.size).toBe(0);
});

test("a step that an earlier attempt finished is not run again, even a failed one", async () => {
  const plan = planOf({ id: "a" }, { id: "b" }, { id: "c", depends_on: ["a", "b"] });
  const first = setUp({ a: fail(new PlatformError("model_rejected")), c: hang });
  for await (const event of runPlan(plan, 4, first.context)) if (shown([event])[0] === "event c") break;
  const second = setUp({}, first.kept);
  const { events, results } = await run(plan, second.context);
  expect(second.began.map(({ name }) => name)).toEqual(["c"]);
  expect(shown(events)).toEqual(["failed a", "completed b", "started c", "event c", "completed c"]);
  expect(events.filter(({ data }) => "replayed" in data)).toHaveLength(2);
  expect(results.map(({ outcome }) => outcome.status)).toEqual(["failed", "completed", "completed"]);
});
