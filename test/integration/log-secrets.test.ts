/**
 * Logs name requests and jobs, and never contain keys or what users and models wrote: canaries sent in every place
 * where a secret or a user's text can stand are in no log file and in no output of a process.
 */
import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiClient, createApiClient, type Json } from "../support/api-client.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { recordProcessOutput } from "../support/process-output.ts";
import { waitFor } from "../support/wait-for.ts";

const canary = (where: string) => `canary${where}${randomUUID().replaceAll("-", "")}`;

const CANARIES = {
  // The model server quotes the key that it refuses, as providers do.
  modelKey: canary("modelkey"),
  bearer: canary("bearer"),
  apiKey: canary("apikey"),
  basic: canary("basic"),
  cookie: canary("cookie"),
  message: canary("message"),
  answer: canary("answer"),
  task: canary("task"),
  input: canary("input"),
  config: canary("config"),
  metadata: canary("metadata"),
  brokenJson: canary("broken"),
  query: canary("query"),
};

const output = recordProcessOutput();
let platform: TestPlatform;
let alice: ApiClient;
beforeAll(async () => {
  platform = await startTestPlatform({ workers: 0, env: { TERMINAL_LOG_LEVEL: "debug" } });
  await platform.startWorker({ OPENAI_API_KEY: CANARIES.modelKey });
  ({ alice } = platform);
});
afterAll(async () => {
  await platform.stop();
  output.stop();
});

async function logFiles(): Promise<string> {
  const names = await readdir(platform.logDir);
  return (await Promise.all(names.map((name) => readFile(join(platform.logDir, name), "utf8")))).join("");
}

/** The lines that name the request or the job. */
async function linesOf(requestId: string, jobId: string): Promise<Json[]> {
  const lines = (await logFiles()).split("\n").filter((line) => line.includes(requestId) || line.includes(jobId));
  // The last line of a file may be half written.
  return lines.filter((line) => line.endsWith("}")).map((line) => JSON.parse(line));
}

const ofApi = ({ process }: Json) => process === "api-1";

test("every log line of a job carries the id of its request and of the job, in the API and in the worker", async () => {
  const requestId = `trace-${randomUUID()}`;
  const chat = await alice.chat({ message: "[[fault=500 times=1]] Trace me" }, { "X-Request-Id": requestId });
  expect(chat.response.headers.get("x-request-id")).toBe(requestId);
  await chat.all();

  const lines = await waitFor("the lines of the request, of the retry and of the end", async () => {
    const found = await linesOf(requestId, chat.jobId);
    const isRetry = ({ code }: Json) => code === "model_unavailable";
    const isEnd = ({ status, process }: Json) => status === "completed" && process === "worker-1";
    return [isRetry, isEnd, ofApi].every((isIt) => found.some(isIt)) && found;
  });
  expect(lines.filter(ofApi)).toHaveLength(1);
  // Two starts, a retry and an end.
  expect(lines.filter(({ process }) => process === "worker-1")).toHaveLength(4);
  for (const line of lines) expect(line).toMatchObject({ request_id: requestId, job_id: chat.jobId });
});

test("no secret and no text of a user or a model is in any log or output", async () => {
  const { message, answer, config, metadata, cookie } = CANARIES;
  for (const fault of ["", "fault=401", "fault=malformed after=1 times=1", "fault=error_chunk after=1 times=1"]) {
    const body = {
      message: `[[text=${answer} ${fault}]] ${message}`,
      config: { system_prompt: config },
      metadata: { note: metadata },
    };
    const chat = await alice.chat(body, { Cookie: `session=${cookie}` });
    expect((await chat.all()).at(-1)?.event).toBe("done");
  }
  await alice.ended(await alice.execute(`[[text=ok]] ${CANARIES.task}`, { input: { secret: CANARIES.input } }));

  const chatOf = (fields: object) => ({ agent_type: "chat_basic", message: "Hello", ...fields });
  const refused = await Promise.all([
    createApiClient(platform.alice.origin, CANARIES.bearer).get("/jobs"),
    alice.get("/jobs", { Authorization: "", "X-API-Key": CANARIES.apiKey }),
    alice.get("/jobs", { Authorization: `Basic ${CANARIES.basic}` }),
    alice.post("/chat/completions", `{"message":"${CANARIES.brokenJson}`),
    alice.post("/chat/completions", chatOf({ note: message })),
    alice.post("/chat/completions", chatOf({ config: { model: [config] } })),
    alice.post("/chat/completions", chatOf({ agent_type: [message] })),
    alice.get(`/chat/history?session_id=${CANARIES.query}`),
  ]);
  expect(refused.map(({ status }) => status)).toEqual([401, 401, 401, 400, 400, 400, 400, 400]);

  // Processes write their buffered lines when they stop.
  await Promise.all([...platform.apis, ...platform.workers].map((child) => child.stop(15_000)));
  const places = { files: await logFiles(), output: output.text() };
  const secrets = { ...CANARIES, ...KEYS };
  for (const [place, text] of Object.entries(places)) {
    // Both report the faults and the refusals, so that an empty log cannot pass.
    for (const code of ["model_auth_failed", "invalid_api_key", "invalid_request"]) expect(text).toContain(code);
    const leaked = Object.entries(secrets).filter(([, secret]) => text.includes(secret));
    expect({ place, leaked: leaked.map(([name]) => name) }).toEqual({ place, leaked: [] });
  }
});
