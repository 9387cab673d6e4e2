import type { AgentManifest } from "@agent-paas/shared/contract/agents.ts";
import { DEFAULT_LIMITS } from "@agent-paas/shared/contract/limits.ts";
import { expect, test } from "vitest";
import type { Agents } from "../agent/delegation.ts";
import { type AgentEvent, text } from "../agent/events.ts";
import { createBudget } from "../job/budget.ts";
import { Suspended } from "../job/inquiries.ts";
import { createJournaledModel } from "../model/journaled-model.ts";
import { createToolbox } from "../registry/toolbox.ts";
import { APPROVE_ALL } from "../testing/approve-all.ts";
import { createJournalStore, createMemoryJournal, type JournalStore } from "../testing/memory-journal.ts";
import { createScriptedModel, type ScriptedTurn } from "../testing/scripted-model.ts";
import { createJobTools } from "../tools/job-tools.ts";
import { OrchestratorAgent } from "./orchestrator-agent.ts";

const manifest = (tools: string[]): AgentManifest => ({
  ...{ id: "child", description: "Does it.", config_schema: {}, tools, unavailable_tools: [], client_tools: false },
});

/** Runs one attempt of the job with the journal `left`, in a process where the child has these tools. */
async function attempt(left: JournalStore, tools: string[], ...script: ScriptedTurn[]) {
  const began: string[] = [];
  const agents: Agents = {
    list: () => [manifest(tools)],
    async *run({ task }) {
      began.push(task);
      yield text("done");
      return { content: "done" };
    },
  };
  const { signal } = new AbortController();
  const journal = createMemoryJournal(left);
  const model = createScriptedModel(...script);
  const logger = { info: () => {}, warn: () => {}, error: () => {} };
  const retriever = { search: async () => [] };
  const budget = createBudget({ ...DEFAULT_LIMITS, deadline_ms: 1_000 }, () => {});
  const toolbox = createToolbox();
  const context = {
    ...({
      jobId: "job",
      owner: "ann",
      attempt: 1,
      clientTools: [],
      locale: "en",
      agents,
      signal,
      journal,
      logger,
      retriever,
      budget,
    } as const),
    metadata: {},
    ask: () => Promise.reject(new Suspended()),
    config: OrchestratorAgent.config.parse({}),
    ...({ kind: "execute", sessionId: null, task: "Do both", usage: { report: () => {} } } as const),
    model: createJournaledModel(model, journal),
    tools: createJobTools({
      toolbox,
      budget,
      journal,
      retriever,
      logger,
      jobId: "job",
      sessionId: null,
      ended: new AbortController().signal,
      owner: "ann",
      collection: null,
      approvals: APPROVE_ALL,
    }),
  };
  const input = { kind: "execute", text: "Do both", data: undefined, history: { latest: async () => [] } } as const;
  const events: AgentEvent[] = [];
  let error: unknown = null;
  try {
    for await (const event of new OrchestratorAgent().run(input, context)) events.push(event);
    model.done();
  } catch (thrown) {
    error = thrown;
  }
  return { began, events, error };
}

const planned = (task: string): ScriptedTurn => ({
  pieces: [JSON.stringify({ steps: [{ id: "a", agent: "child", task }] })],
});

test("I5: a job that starts over in a process with other tools keeps its plan", async () => {
  const left = createJournalStore();
  const broken = new Error("the stream broke");
  const first = await attempt(left, ["files_read"], planned("Read it"), { error: broken });
  expect([first.began, first.error]).toEqual([["Read it"], broken]);
  const second = await attempt(left, [], { pieces: ["All done"] });
  expect([second.began, second.error]).toEqual([[], null]);
  expect(second.events.at(-1)?.data.content).toBe("All done");
});
