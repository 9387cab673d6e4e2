/** What clients read: frames that any reader can split, whole characters, their language, and the tools that exist. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../support/api-client.ts";
import { forgetJob } from "../support/job-state.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { type RawProvider, startRawProvider, turnOf } from "../support/raw-provider.ts";
import { shownText } from "../support/sse-client.ts";

const LINE_ENDS = "a\u2028b\u2029c\u0085d";

/** An answer with an emoji whose halves come in two chunks, and with a half that stays alone. */
const answerTo = ({ messages }: Json): Json[] =>
  String(messages.at(-1).content).includes("lines")
    ? turnOf([LINE_ENDS], "stop")
    : turnOf(["one \ud83d", "\ude00 two \ud83d", " three", "\ude00"], "stop");

let provider: RawProvider;
let platform: TestPlatform;
beforeAll(async () => {
  provider = await startRawProvider(answerTo);
  platform = await startTestPlatform({ env: { EVENT_LOG_TTL_SECONDS: "3600" }, workers: 0 });
  await platform.startWorker(provider.env);
});
afterAll(async () => {
  await platform.stop();
  await provider.close();
});

async function rawStream(jobId: string, headers: Record<string, string> = {}, query = ""): Promise<string> {
  const response = await fetch(`${platform.alice.origin}/api/v1/jobs/${jobId}/events${query}`, {
    headers: { Authorization: `Bearer ${KEYS.alice}`, ...headers },
  });
  return response.text();
}

test("line ends of Unicode are escaped in live frames and in those replayed from the database", async () => {
  const jobId = await platform.alice.execute("lines");
  const escaped = '"a\\u2028b\\u2029c\\u0085d"';
  expect((await platform.alice.ended(jobId)).result.content).toBe(LINE_ENDS);
  expect(await rawStream(jobId)).toContain(escaped);
  await forgetJob(platform, jobId);
  expect(await rawStream(jobId)).toContain(escaped);
});

test("an emoji that the provider cut in two is whole, and a lone half is the same character everywhere", async () => {
  const stream = await platform.alice.chat({ agent_type: "chat_basic", message: "halves" });
  const shown = shownText(await stream.all());
  expect(shown).toBe("one 😀 two \ufffd three\ufffd");
  expect((await platform.alice.ended(stream.jobId)).result.content).toBe(shown);
  expect((await platform.alice.history(stream.sessionId)).at(-1).content).toBe(shown);
});

test("half a character in input, config and metadata reaches neither the provider nor a later reader", async () => {
  const body =
    '{"task":"half","input":{"k\\ud83d":"v\\ud83d"},"metadata":{"m":"\\ude00"},"config":{"system_prompt":"s\\ud83d"}}';
  const { body: accepted } = await platform.alice.post("/agents/chat_basic/execute", body);
  const job = await platform.alice.ended(accepted.job_id);
  expect(job.metadata).toEqual({ m: "\ufffd" });
  expect(provider.bodies.at(-1)).not.toMatch(/\\ud[89a-f]/i);
});

test.each([
  ["Hello", undefined, "Processing"],
  ["Hello", "*", "Processing"],
  ["你好", undefined, "正在使用"],
  ["你好", "en", "Processing"],
  ["Hello", "zh-CN", "正在使用"],
  ["Hello", "fr", "Processing"],
])("the status of %s with the Accept-Language %s begins with %s", async (message, language, words) => {
  const headers: Record<string, string> = language === undefined ? {} : { "Accept-Language": language };
  const events = await (await platform.alice.chat({ agent_type: "chat_basic", message }, headers)).all();
  expect(events[0]?.data.content).toMatch(words);
});

test("an empty and a doubled Last-Event-ID count as none", async () => {
  const jobId = await platform.alice.execute("resume");
  await platform.alice.ended(jobId);
  const whole = await rawStream(jobId);
  expect(whole).toContain("id: 1\n");
  expect(await rawStream(jobId, { "Last-Event-ID": "" })).toBe(whole);
  expect(await rawStream(jobId, { "Last-Event-ID": "2, 2" })).toBe(whole);
  expect(await rawStream(jobId, { "Last-Event-ID": "" }, "?after=1")).not.toContain("id: 1\n");
});

test("the list of agents does not offer http_fetch while it is off", async () => {
  const { body } = await platform.alice.get("/agents/tool_basic");
  expect(body.tools).toContain("calculator");
  expect(body.tools).not.toContain("http_fetch");
});
