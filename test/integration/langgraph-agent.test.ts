/** Graphs of LangGraph on the platform, with the packages of its example: what the adapter promises, over HTTP. */
import { expect, test } from "vitest";
import { frameworkContract } from "../support/framework-contract.ts";
import { decisionsContract } from "../support/framework-decisions.ts";
import { hardshipsContract } from "../support/framework-hardships.ts";
import { useFramework } from "../support/framework-platform.ts";
import { shownText, thoughtsOf } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";
import { decide, waitingFor } from "../support/waiting-job.ts";

const framework = useFramework("langgraph");
const execute = (task: string, role: string) => framework.platform.alice.execute(task, {}, framework.agent(role));

frameworkContract(framework, "yes");
decisionsContract(framework);
hardshipsContract(framework);

test("a graph that exceeds its recursion limit fails as one that has used up its budget", async () => {
  const jobId = await execute('[[calls=fails({})|fails({"n":1})|fails({"n":2})]] Limited', "limited");
  expect(await framework.platform.alice.ended(jobId)).toMatchObject({
    ...{ status: "failed", error: { code: "budget_exhausted", message: expect.stringContaining("Recursion limit") } },
  });
});

test("a node that asks the same question again, in a graph without messages, gets the second answer, in other workers", async () => {
  const { alice } = framework.platform;
  const jobId = await execute("Form", "form");
  const [first] = await waitingFor(alice, jobId);
  expect(first).toMatchObject({ type: "input", question: "How old are you?" });
  await decide(alice, jobId, { request_id: first.request_id, decision: "answer", answer: "old" });
  const second = await waitingForAnother(jobId, first.request_id);
  await framework.replaceWorker();
  await decide(alice, jobId, { request_id: second.request_id, decision: "answer", answer: 7 });
  expect(await alice.ended(jobId)).toMatchObject({
    status: "completed",
    result: { data: { name: "Form", given: ["old", 7] } },
  });
});

test("nodes side by side, one of them in a graph within, ask together and get their own answers", async () => {
  const { alice } = framework.platform;
  const jobId = await execute("Pair", "pair");
  const asked = await waitingFor(alice, jobId, 2);
  expect(asked.map(({ question }) => question).sort()).toEqual(["First?", "Second?"]);
  const decisions = asked.map(({ request_id, question }) => ({
    request_id,
    decision: "answer",
    answer: `to ${question}`,
  }));
  await decide(alice, jobId, ...decisions);
  expect(await alice.ended(jobId)).toMatchObject({
    ...{ status: "completed", result: { content: "first: to First?; second: to Second?" } },
  });
});

test("a tool that returns a Command is shown with its result, and so is the text of a graph within", async () => {
  const message = '[[calls=hand({"to":"Ann"}) text=Good%20night.]] Jump';
  const chat = await framework.platform.alice.chat({ agent_type: framework.agent("jumping"), message });
  const events = await chat.all();
  expect(thoughtsOf(events, "tool_call")).toMatchObject([{ name: "hand", arguments: { to: "Ann" } }]);
  expect(thoughtsOf(events, "tool_result")).toMatchObject([{ name: "hand", status: "ok", result: "handed to Ann" }]);
  expect(shownText(events)).toBe("Good night.");
  expect(await framework.platform.alice.job(chat.jobId)).toMatchObject({ status: "completed" });
});

const waitingForAnother = (jobId: string, than: string) =>
  waitFor("a further question", async () => {
    const { status, waiting_for } = await framework.platform.alice.job(jobId);
    const [asked] = waiting_for;
    return status === "waiting" && asked !== undefined && asked.request_id !== than && asked;
  });
