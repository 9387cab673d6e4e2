/** Agents of the OpenAI Agents SDK on the platform, with the packages of its example: what the adapter promises. */
import { expect, test } from "vitest";
import { frameworkContract } from "../support/framework-contract.ts";
import { decisionsContract } from "../support/framework-decisions.ts";
import { hardshipsContract, streamlessContract } from "../support/framework-hardships.ts";
import { useFramework } from "../support/framework-platform.ts";
import { shownText, thoughtsOf } from "../support/sse-client.ts";
import { decide, waitingFor } from "../support/waiting-job.ts";

const framework = useFramework("openai-agents");
const execute = (task: string, role: string) => framework.platform.alice.execute(task, {}, framework.agent(role));
const talk = async (message: string, role: string) => {
  const chat = await framework.platform.alice.chat({ agent_type: framework.agent(role), message });
  return { events: await chat.all(), job: await framework.platform.alice.job(chat.jobId) };
};

frameworkContract(framework, { approve: true });
decisionsContract(framework);
hardshipsContract(framework);
streamlessContract(framework);

test("a run that exceeds its turns fails as one that has used up its budget", async () => {
  const jobId = await execute('[[calls=fails({})|fails({"n":1})|fails({"n":2})]] Limited', "limited");
  expect(await framework.platform.alice.ended(jobId)).toMatchObject({
    ...{ status: "failed", error: { code: "budget_exhausted", message: expect.stringContaining("Max turns") } },
  });
});

test("a call of a tool that no agent has fails the job with the SDK's words", async () => {
  const { job } = await talk("[[calls=unheard_of({})]] Unheard", "guarded");
  expect(job).toMatchObject({ error: { code: "agent_failed", message: expect.stringContaining("unheard_of") } });
});

test("a stream that only stops is asked for again", async () => {
  const { events, job } = await talk("[[text=One%20two. fault=no_done after=1 times=1]] Stops", "desk");
  expect([shownText(events), job.attempt]).toEqual(["One two.", 2]);
});

test("a handoff is shown, and the next agent's call waits for its approval", async () => {
  const { alice } = framework.platform;
  const jobId = await execute('[[calls=transfer_to_billing({})|stamp({"page":"one"})]] Hand off', "triage");
  const [asked] = await waitingFor(alice, jobId);
  expect(asked.question).toContain('stamp({"page":"one"})');
  await framework.replaceWorker();
  await decide(alice, jobId, { request_id: asked.request_id, decision: "answer", answer: { approve: true } });
  expect(await alice.ended(jobId)).toMatchObject({
    ...{ status: "completed", result: { content: expect.stringContaining("stamped one") } },
  });
  const events = await (await alice.follow(jobId)).all();
  expect(thoughtsOf(events, "delegate")).toContainEqual(expect.objectContaining({ agents: ["billing"] }));
});

test("an approval within an agent that is a tool is asked for, and the run goes on with the decision", async () => {
  const { alice, model } = framework.platform;
  const stamp = { tool_calls: [{ name: "stamp", arguments: { page: "two" } }] };
  await model.script({ match: "inner words", steps: [stamp, { text: "Stamped it." }] });
  // Written so that the script is for the inner agent alone.
  const jobId = await execute('[[calls=ask_billing({"input":"inner\\u0020words"})]] Manage', "manager");
  const [asked] = await waitingFor(alice, jobId);
  expect(asked.question).toContain('stamp({"page":"two"})');
  await decide(alice, jobId, { request_id: asked.request_id, decision: "answer", answer: { approve: true } });
  expect(await alice.ended(jobId)).toMatchObject({
    ...{ status: "completed", result: { content: expect.stringContaining("Stamped it.") } },
  });
});

test("a guardrail that stops a run fails the job by its name, and what was shown of the answer is taken back", async () => {
  const input = await talk("[[text=How.]] About weapons", "careful");
  expect(input.job).toMatchObject({
    ...{ status: "failed", error: { code: "guardrail_triggered", message: expect.stringContaining('"no weapons"') } },
  });
  const output = await talk("[[text=The%20secret%20is%20out.]] Tell", "careful");
  expect(output.job).toMatchObject({
    ...{ status: "failed", error: { code: "guardrail_triggered", message: expect.stringContaining('"no secret"') } },
  });
  expect(output.events.filter(({ event }) => event === "message").length).toBeGreaterThan(1);
  expect(shownText(output.events)).toBe("");
});
