/** `orchestrator` over HTTP: plans from the config and from the model, parallel steps, joined answers, and limits. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { tokenize } from "../../scripts/model-server/tokenize.ts";
import type { ApiClient, Json } from "../support/api-client.ts";
import { cancelUnfinished } from "../support/cancel-unfinished.ts";
import { expectOneDone, expectWholeStream } from "../support/expect-stream.ts";
import { childEvents, planOf, runOrchestrator, stepsOf } from "../support/orchestrator.ts";
import { FIXTURE_AGENTS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { readDatabase } from "../support/platform-state.ts";

let platform: TestPlatform;
let alice: ApiClient;
beforeAll(async () => {
  platform = await startTestPlatform({ env: FIXTURE_AGENTS });
  ({ alice } = platform);
});
afterEach(async () => {
  await cancelUnfinished(alice);
  await platform.model.clear();
});
afterAll(() => platform.stop());

test("three agents, two of them in parallel and one failing, give events, an answer, rows and usage", async () => {
  const plan = planOf(
    { id: "facts", task: "[[tokens=12 rate=40]] Collect the facts" },
    { id: "check", agent: "throwing", task: "Check it" },
    {
      id: "report",
      agent: "tool_basic",
      task: '[[calls=calculator({"expression":"6*7"}) text=Reported]] Report',
      depends_on: ["facts", "check"],
    },
  );
  const { jobId, sessionId, events, job } = await runOrchestrator(alice, "[[text=Joined%20answer]] Do it all", {
    plan,
    system_prompt: "Be kind.",
  });

  expectWholeStream(events, "Joined answer", "the orchestration");
  expect(stepsOf(events)).toEqual([
    ...["started facts", "started check", "failed check", "completed facts", "started report", "completed report"],
  ]);
  const published: Json = events.find(({ data }) => data.plan !== undefined)?.data;
  expect(published.type).toBe("status");
  expect(published.plan.steps.map(({ id, agent }: Json) => [id, agent])).toEqual([
    ["facts", "chat_basic"],
    ["check", "throwing"],
    ["report", "tool_basic"],
  ]);
  const failed = events.find(({ data }) => data.status === "failed")?.data;
  expect(failed).toMatchObject({ agent: "throwing", error: { code: "agent_failed" } });
  const facts = childEvents(events, "facts").map(({ data }) => data.content);
  expect(facts).toHaveLength(12);
  expect(childEvents(events, "report").map(({ event, data }) => `${event} ${data.type}`)).toEqual([
    ...["thought tool_call", "thought tool_result", "message text"],
  ]);

  const calls = await platform.model.calls();
  const details = await Promise.all(calls.map(({ id }) => platform.model.call(id)));
  const [factsCall, reportCall, , joinCall] = details;
  expect([calls.length, factsCall?.last_user]).toEqual([4, plan.steps[0]?.task]);
  expect(reportCall?.last_user).toContain("Report");
  const report = JSON.stringify(reportCall?.messages);
  for (const part of [facts.join(""), "agent_failed"]) {
    expect(report).toContain(part);
    expect(JSON.stringify(joinCall?.messages)).toContain(part);
  }
  expect(joinCall?.messages?.map(({ role }) => role)).toEqual(["system", "user"]);
  expect(JSON.stringify(joinCall?.messages)).toMatch(/Be kind\.[\s\S]*Reported/);

  const steps = [
    { id: "facts", agent: "chat_basic", status: "completed" },
    { id: "check", agent: "throwing", status: "failed", error: { code: "agent_failed" } },
    { id: "report", agent: "tool_basic", status: "completed" },
  ];
  expect(job).toMatchObject({ status: "completed", attempt: 1, result: { content: "Joined answer", data: { steps } } });
  expect(job.result.data.plan.steps.map(({ id }: Json) => id)).toEqual(["facts", "check", "report"]);

  // The tokens of all calls, counted by the model server.
  const asked = details
    .flatMap(({ messages }) => messages ?? [])
    .map(({ content }) => tokenize(String(content ?? "")).length);
  const input = asked.reduce((sum, tokens) => sum + tokens, 0);
  const output = calls.reduce((sum, { tokens_sent }) => sum + tokens_sent, 0);
  const counts = { input_tokens: input, output_tokens: output, total_tokens: input + output };
  expect(job.usage).toEqual({ ...counts, models: { "local-model": counts } });
  expect(events.at(-1)?.data.usage).toEqual(job.usage);

  const { body: timeline } = await alice.get(`/jobs/${jobId}/steps`);
  const delegates: Json[] = timeline.steps.filter(({ kind }: Json) => kind === "delegate");
  // The failing one runs twice.
  expect(delegates.map(({ name, agent_type, status }) => [name, agent_type, status]).sort()).toEqual([
    ...[1, 2].map(() => ["check", "throwing", "failed"]).slice(0, delegates.length - 2),
    ["facts", "chat_basic", "completed"],
    ["report", "tool_basic", "completed"],
  ]);
  const within = Map.groupBy(timeline.steps as Json[], ({ parent_id }) => parent_id);
  const kindsOf = (parent: string | null) => (within.get(parent) ?? []).map(({ kind }) => kind);
  expect(kindsOf(delegates.find(({ name }) => name === "report").id)).toEqual(["model", "tool", "model"]);
  expect(kindsOf(null).filter((kind) => kind !== "delegate")).toEqual(["wait", "model"]);

  const rows = await readDatabase(platform, async (db) => ({
    jobs: await db("agent_logs").where({ session_id: sessionId }).select("id", "agent_type", "status"),
    steps: await db("agent_steps").where({ job_id: jobId }).orderBy("step_no").select("kind", "status", "input"),
  }));
  expect(rows.jobs).toEqual([{ id: jobId, agent_type: "orchestrator", status: "completed" }]);
  expect(rows.steps.every(({ status }) => status === "finished")).toBe(true);
  const kinds = rows.steps.map(({ kind }) => kind).sort();
  expect(kinds).toEqual(["delegate", "delegate", "delegate", "model", "model", "model", "tool"]);
  expect((await alice.history(sessionId)).at(-1)).toMatchObject({ role: "assistant", content: "Joined answer" });
});

test("an execute job without a plan asks the model for one and carries it out", async () => {
  const plan = planOf({ id: "one", task: "[[text=First]] one" }, { id: "two", task: "[[text=Second]] two" });
  await platform.model.script({
    match: "Plan this",
    steps: [{ text: `\`\`\`json\n${JSON.stringify(plan)}\n\`\`\`` }, { text: "Both done" }],
  });
  const jobId = await alice.execute("Plan this", { config: { agents: ["chat_basic", "citing"] } }, "orchestrator");
  const job = await alice.ended(jobId);
  expect(job).toMatchObject({ status: "completed", result: { content: "Both done" } });
  const [planning, ...others] = await platform.model.calls();
  expect(others).toHaveLength(3);
  const { messages } = await platform.model.call(planning?.id ?? 0);
  const system = String(messages?.[0]?.content);
  expect(system).toContain('{"agent":"citing","description":');
  expect(system).not.toContain('"agent":"tool_basic"');
  const events = await (await alice.follow(jobId)).all();
  expectWholeStream(events, "Both done", "the job with a plan of the model");
  const progress = events.filter(({ data }) => data.type === "progress").map(({ data }) => data.progress);
  expect(progress).toEqual([1 / 3, 2 / 3]);
});

test("a plan of the model that cannot be carried out is corrected once; a second such plan fails the job", async () => {
  const plan = JSON.stringify(planOf({ id: "one", task: "[[text=First]] one" }));
  // In the order of the calls: plan, corrected plan, the step, the joined answer.
  const answers = ["What plan?", plan, "First", "Corrected"];
  await platform.model.script({ steps: answers.map((text) => ({ text })) });
  const corrected = await runOrchestrator(alice, "Correct this", {});
  expectWholeStream(corrected.events, "Corrected", "the job with the corrected plan");
  expect(await platform.model.calls()).toHaveLength(answers.length);

  await platform.model.clear();
  const circle = JSON.stringify(planOf({ id: "a", task: "t", depends_on: ["a"] }));
  await platform.model.script({ steps: [{ text: circle }, { text: circle }] });
  const broken = await runOrchestrator(alice, "Break this", {});
  expectOneDone(broken.events, "the job with the circular plan", "failed");
  expect(broken.job.error.code).toBe("plan_invalid");
  expect(await platform.model.calls()).toHaveLength(2);
});

test.each([
  [{ plan: planOf({ id: "a", agent: "nobody", task: "t" }) }, ['"a"', '"nobody"']],
  [{ plan: planOf({ id: "a", agent: "orchestrator", task: "t" }) }, ['"a"', '"orchestrator"']],
  [{ plan: planOf({ id: "a", task: "t", config: { temprature: 1 } }) }, ['"a"', "temprature"]],
  [{ plan: planOf({ id: "a", task: "t", depends_on: ["b"] }) }, ['"a"', '"b"']],
  [{ agents: ["nobody"] }, ["config.agents", '"nobody"']],
  [{ join: "concat", response_schema: {} }, ["config.join"]],
])("the config %j is refused with the names of what is wrong", async (config, names) => {
  const { job } = await runOrchestrator(alice, "Do it", config);
  expect(job).toMatchObject({ status: "failed", error: { code: "invalid_config" } });
  for (const name of names) expect(job.error.message).toContain(name);
  expect(await platform.model.calls()).toEqual([]);
});

test("a plan with join concat answers with the results of its last steps and all their citations", async () => {
  const plan = planOf(
    { id: "one", agent: "citing", task: "First" },
    { id: "two", agent: "citing", task: "Second" },
    { id: "between", agent: "throwing", task: "t" },
    { id: "quiet", task: "[[text=Last]] last", depends_on: ["between"] },
  );
  const { events, job } = await runOrchestrator(alice, "Do it", { plan, join: "concat" });
  expectWholeStream(events, "## one\n\nFirst [1]\n\n## two\n\nSecond [2]\n\n## quiet\n\nLast", "the results");
  expect(job.result.citations.map(({ marker, source }: Json) => marker + source)).toEqual(["[1]First", "[2]Second"]);
  expect(await platform.model.calls()).toHaveLength(1);
});

test("a joined answer with a response schema is checked JSON", async () => {
  const plan = planOf({ id: "one", task: "[[text=42]] one" });
  const response_schema = { type: "object", properties: { sum: { type: "number" } }, required: ["sum"] };
  const jobId = await alice.execute('[[text={"sum":42}]] Sum', { config: { plan, response_schema } }, "orchestrator");
  expect(await alice.ended(jobId)).toMatchObject({ status: "completed", result: { data: { sum: 42 } } });
});

test("orchestrators delegate to orchestrators down to the depth limit", async () => {
  const agents = ["orchestrator", "chat_basic"];
  const inside = (config: object): object => ({
    ...{ agents, join: "concat" },
    plan: planOf({ id: "in", agent: "orchestrator", task: "t", config }),
  });
  const leaf = { agents, join: "concat", plan: planOf({ id: "leaf", task: "[[text=Deep]] down" }) };
  const fits = await runOrchestrator(alice, "Do it", inside(leaf));
  expectWholeStream(fits.events, "Deep", "two levels");
  const nested = childEvents(fits.events, "in").filter(({ data }) => data.type === "delegate");
  expect(nested.map(({ data }) => `${data.status} ${data.step}`)).toEqual([
    "started leaf",
    "event leaf",
    "completed leaf",
  ]);

  const tooDeep = await runOrchestrator(alice, "Do it", inside(inside(leaf)));
  expect(tooDeep.job).toMatchObject({ status: "failed", error: { code: "delegation_failed" } });
  expect(tooDeep.job.error.message).toContain("delegation_too_deep");
});

test("no more children run at once than fan_out allows", async () => {
  const steps = Array.from({ length: 6 }, (_, at) => ({ id: `s${at}`, task: `[[tokens=8 rate=20]] ${at}` }));
  const { job } = await runOrchestrator(alice, "Do it", { plan: planOf(...steps), fan_out: 2, join: "concat" });
  expect(job.status).toBe("completed");
  expect(await platform.model.stats()).toMatchObject({ total_calls: 6, peak_open_streams: 2 });
});
