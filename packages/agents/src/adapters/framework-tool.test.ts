import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { expect, test } from "vitest";
import { z } from "zod";
import { type AgentContext, type AgentInput, BaseAgent } from "../agent/agent.ts";
import { text } from "../agent/events.ts";
import { createJournalStore } from "../testing/memory-journal.ts";
import { type RunAgentOptions, runAgent } from "../testing/run-agent.ts";
import { streamInJob } from "./framework-run.ts";
import { callInJob } from "./framework-tool.ts";
import { keepTurn } from "./framework-turn.ts";

/** Runs an agent whose framework streams these texts. */
function run(stream: () => AsyncIterable<string>, options: RunAgentOptions = {}) {
  class Agent extends BaseAgent {
    static readonly description = "Of a test.";
    static readonly config = z.strictObject({});
    async *run(_input: AgentInput, context: AgentContext<unknown>) {
      for await (const piece of streamInJob(context, stream)) yield text(piece);
    }
  }
  return runAgent(Agent, "Go", options);
}

const approved = { needsApproval: ["risky"] };
const risky = (effects: string[]) => callInJob({ name: "risky", args: {} }, approved, () => effects.push("risky"));

test("a call beside one that waits for a person ends before the run does, and is not made again", async () => {
  const effects: string[] = [];
  const gate = Promise.withResolvers<void>();
  const slow = () =>
    callInJob({ name: "slow", args: {} }, {}, async (_, signal) => {
      setImmediate(() => setImmediate(gate.resolve));
      await gate.promise;
      effects.push(signal?.aborted ? "slow, aborted" : "slow");
    });
  async function* sideBySide() {
    await Promise.all([risky(effects), slow()]);
    yield "Done";
  }
  const store = createJournalStore();
  await expect(run(sideBySide, { store })).rejects.toMatchObject({ name: "Suspended" });
  expect(effects).toEqual(["slow"]);
  expect((await run(sideBySide, { store, decide: () => ({ decision: "approve" }) })).content).toBe("Done");
  expect(effects).toEqual(["slow", "risky"]);
});

test("a call beside one that fails the run for a retry ends before the run does", async () => {
  const effects: string[] = [];
  const unavailable = new PlatformError("tool_unavailable");
  const fails = () => callInJob({ name: "fails", args: {} }, {}, () => Promise.reject(unavailable));
  const slow = () =>
    callInJob({ name: "slow", args: {} }, {}, async () => {
      await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
      effects.push("slow");
    });
  async function* sideBySide() {
    yield String(await Promise.all([fails(), slow()]));
  }
  await expect(run(sideBySide)).rejects.toMatchObject({ code: "tool_unavailable" });
  expect(effects).toEqual(["slow"]);
});

test("a call within a call waits for a person only if the outer one may be made again", async () => {
  const effects: string[] = [];
  const nested = (idempotent: readonly string[]) =>
    async function* () {
      await callInJob({ name: "sub_agent", args: {} }, { idempotent }, () => risky(effects));
      yield "Done";
    };
  await expect(run(nested([]))).rejects.toThrow('within the tool "sub_agent" waits for a person');
  const store = createJournalStore();
  await expect(run(nested(["sub_agent"]), { store })).rejects.toMatchObject({ name: "Suspended" });
  await run(nested(["sub_agent"]), { store, decide: () => ({ decision: "approve" }) });
  expect(effects).toEqual(["risky"]);
});

test("a turn is kept before its first call is shown to the framework", async () => {
  const store = createJournalStore();
  let asked = 0;
  const ask = async function* () {
    asked += 1;
    yield* ["Let me see", "call", "usage"];
  };
  const turn = () => keepTurn({ request: "?", ask, callsTool: (part) => part === "call" });
  async function* untilCall() {
    for await (const part of await turn()) {
      yield part;
      if (part === "call") throw new PlatformError("tool_unavailable");
    }
  }
  const shown: string[] = [];
  const onEvent = ({ data }: { data: { content: string } }) => void shown.push(data.content);
  await expect(run(untilCall, { store, onEvent })).rejects.toMatchObject({ code: "tool_unavailable" });
  await expect(run(untilCall, { store, onEvent })).rejects.toMatchObject({ code: "tool_unavailable" });
  expect([asked, shown]).toEqual([1, ["Let me see", "call", "Let me see", "call"]]);
});

test("a turn that breaks off after a call shows no call and is asked again", async () => {
  const store = createJournalStore();
  let asked = 0;
  const ask = async function* () {
    yield "call";
    if (asked++ === 0) throw new PlatformError("model_stream_broken");
  };
  const turn = () => keepTurn({ request: "?", ask, callsTool: () => true });
  async function* all() {
    yield* await turn();
  }
  const shown: string[] = [];
  const onEvent = ({ data }: { data: { content: string } }) => void shown.push(data.content);
  await expect(run(all, { store, onEvent })).rejects.toMatchObject({ code: "model_stream_broken" });
  expect((await run(all, { store, onEvent })).content).toBe("call");
  expect([asked, shown]).toEqual([2, ["call"]]);
});
