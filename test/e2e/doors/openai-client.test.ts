/** The official client of OpenAI, unchanged but for its base URL: helpers, errors, retries, time limits. */
import { randomUUID } from "node:crypto";
import OpenAI, {
  APIConnectionTimeoutError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
  UnprocessableEntityError,
} from "openai";
import { ChatCompletionStream } from "openai/lib/ChatCompletionStream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Json } from "../../support/api-client.ts";
import { createOpenAiClient } from "../../support/openai-client.ts";
import { FIXTURE_AGENTS, KEYS, startTestPlatform, type TestPlatform } from "../../support/platform.ts";
import { shownText } from "../../support/sse-client.ts";
import { waitFor } from "../../support/wait-for.ts";
import { workerOf } from "../../support/worker-of.ts";

let platform: TestPlatform;
let client: ReturnType<typeof createOpenAiClient>;
beforeAll(async () => {
  platform = await startTestPlatform({ workers: 2, env: { ...FIXTURE_AGENTS, SSE_HEARTBEAT_MS: "200" } });
  client = createOpenAiClient(platform.alice.origin, KEYS.alice);
});
afterAll(async () => {
  await client.checked();
  await platform.stop();
});

const MODEL = "chat_basic";
const NEVER = "[[tokens=1 ttft=60000]]";
const asked = (content: string, more: object = {}) => ({
  model: MODEL,
  messages: [{ role: "user" as const, content }],
  ...more,
});
const streamed = (content: string) => ({ ...asked(content), stream: true as const });

describe("streams", () => {
  test("the stream helper gathers text, reason and usage", async () => {
    const stream = client.chat.completions.stream(
      asked("[[tokens=30]]", { stream_options: { include_usage: true } }) as never,
    );
    let text = "";
    stream.on("content", (delta) => {
      text += delta;
    });
    const completion = await stream.finalChatCompletion();
    expect(completion.choices[0]).toMatchObject({
      message: { role: "assistant", content: text },
      finish_reason: "stop",
    });
    expect((await stream.totalUsage()).completion_tokens).toBeGreaterThan(0);
    expect((await platform.alice.job(completion.id)).result.content).toBe(text);
  });

  test("a stream that is passed on as a ReadableStream is read elsewhere", async () => {
    const stream = client.chat.completions.stream(asked("[[tokens=10]]"));
    const elsewhere = ChatCompletionStream.fromReadableStream(stream.toReadableStream());
    const completion = await elsewhere.finalChatCompletion();
    expect(completion.choices[0]?.message.content).toBe((await platform.alice.job(completion.id)).result.content);
  });

  test("a job that is read natively and through the door has the same text", async () => {
    const key = randomUUID();
    const headers = { "Idempotency-Key": key };
    const request = streamed("[[tokens=40 rate=10]]");
    const read = async () => {
      const stream = await client.chat.completions.create(request, { headers });
      const chunks = await Array.fromAsync(stream);
      return { id: chunks[0]?.id ?? "", text: chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("") };
    };
    const first = read();
    const { id } = await waitFor(
      "the job",
      async () => (await platform.alice.get("/jobs?status=running")).body.jobs[0],
    );
    const [native, ...through] = await Promise.all([
      platform.alice.follow(id).then((stream) => stream.all()),
      first,
      read(),
    ]);
    for (const answer of through) expect(answer).toEqual({ id, text: shownText(native) });
    // The same from the database, once the log is gone.
    await platform.redis.del(platform.keys.eventLog(id));
    expect(await read()).toEqual({ id, text: shownText(native) });
  });
});

describe("errors", () => {
  const failing = (more: object, model = MODEL, message = "Hi") =>
    client.chat.completions.create({ ...asked(message, more), model }).catch((error) => error);

  test("each status has its class", async () => {
    expect(await failing({ n: 2 })).toBeInstanceOf(BadRequestError);
    const stranger = createOpenAiClient(platform.alice.origin, "wrong");
    const unknown = await stranger.models.list().then(
      () => null,
      (error) => error,
    );
    expect(unknown).toBeInstanceOf(AuthenticationError);
    expect(unknown.code).toBe("invalid_api_key");
    await stranger.checked();
    expect(await failing({}, "nobody")).toBeInstanceOf(NotFoundError);
    const call = '[[calls=calculator({"expression":"1+1"})]]';
    const limited = await failing({ limits: { max_tool_calls: 0 } }, "tool_basic", call);
    expect(limited).toBeInstanceOf(UnprocessableEntityError);
    expect(limited).toMatchObject({ code: "budget_exhausted", status: 422 });
    const broken = await failing({}, "throwing");
    expect(broken).toBeInstanceOf(InternalServerError);
    expect(broken).toMatchObject({ code: "agent_failed", status: 500 });
    expect(broken.message).not.toContain("secret-detail");
  });

  test("a path that there is not, and a body that is no JSON, have OpenAI's envelope", async () => {
    const answers = await Promise.all([
      fetch(`${platform.alice.origin}/v1/nowhere`),
      fetch(`${platform.alice.origin}/v1/chat/completions`, {
        method: "POST",
        headers: { Authorization: `Bearer ${KEYS.alice}` },
        body: "{",
      }),
      fetch(`${platform.alice.origin}/v1/chat/completions`, { method: "POST", body: "{}" }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([404, 400, 401]);
    for (const answer of answers) {
      const { error } = (await answer.json()) as Json;
      expect(Object.keys(error).sort()).toEqual(["code", "message", "param", "type"]);
      expect(error.type).toBe("invalid_request_error");
    }
  });

  test("what may succeed later is repeated, and what failed for good is not", async () => {
    const word = randomUUID();
    // A provider that asks for a wait which no job has: the job fails at once, and the next one gets an answer.
    const answer = await client.chat.completions.create(
      asked(`[[fault=429 retry_after=100000 times=1 text=Yes]] ${word}`),
    );
    expect(answer.choices[0]?.message.content).toBe("Yes");
    expect(await platform.model.calls({ contains: word })).toHaveLength(2);
    const never = randomUUID();
    expect(await failing({}, MODEL, `[[fault=401]] ${never}`)).toMatchObject({
      status: 502,
      code: "model_auth_failed",
    });
    expect(await platform.model.calls({ contains: never })).toHaveLength(1);
  });

  test("a key is not used for another body", async () => {
    const headers = { "Idempotency-Key": randomUUID() };
    await client.chat.completions.create(asked("One"), { headers });
    const error = await client.chat.completions.create(asked("Two"), { headers }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(ConflictError);
  });

  test("a limit of the owner is a rate limit", async () => {
    const api = await platform.startApi({ MAX_OPEN_STREAMS_PER_OWNER: "1" });
    const impatient = createOpenAiClient(api.origin, KEYS.alice, { maxRetries: 0 });
    const stream = await impatient.chat.completions.create(streamed(NEVER));
    const error = await impatient.chat.completions.create(asked("Hi")).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(RateLimitError);
    expect(Number(error.headers.get("retry-after"))).toBeGreaterThan(0);
    stream.controller.abort();
    const { id } = await waitFor(
      "the job",
      async () => (await platform.alice.get("/jobs?status=running")).body.jobs[0],
    );
    await platform.alice.cancel(id);
    await api.stop(15_000);
  });
});

describe("clients that leave", () => {
  test("an aborted stream ends for its reader, and the job goes on", async () => {
    const stream = client.chat.completions.stream(asked("[[tokens=40 rate=20]]"));
    const ended = stream.done().catch((error) => error);
    await new Promise<void>((resolve) => void stream.once("content", () => resolve()));
    const { id } = await waitFor(
      "the job",
      async () => (await platform.alice.get("/jobs?status=running")).body.jobs[0],
    );
    stream.abort();
    expect(await ended).toBeInstanceOf(APIUserAbortError);
    expect(await platform.alice.ended(id)).toMatchObject({ status: "completed" });
  });

  test("a client that waits no longer than its time limit leaves its job running", async () => {
    const impatient = new OpenAI({ baseURL: `${platform.alice.origin}/v1`, apiKey: KEYS.alice, maxRetries: 0 });
    const error = await impatient.chat.completions.create(asked(NEVER), { timeout: 1_000 }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(APIConnectionTimeoutError);
    const { id } = await waitFor(
      "the job",
      async () => (await platform.alice.get("/jobs?status=running")).body.jobs[0],
    );
    await platform.alice.cancel(id);
    expect((await platform.alice.ended(id)).status).toBe("cancelled");
  });

  test("a silent stream is kept open by what its client does not see", async () => {
    const stream = await client.chat.completions.create(streamed("[[tokens=2 ttft=2000]]"));
    const chunks = await Array.fromAsync(stream);
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop");
  });
});

describe("a worker that dies", () => {
  test("a stream whose worker is killed goes on without a repeated word", async () => {
    const stream = client.chat.completions.stream(asked("[[tokens=40 rate=10]] the worker of this stream dies"));
    await new Promise<void>((resolve) => void stream.once("content", () => resolve()));
    const { id } = await waitFor(
      "the job",
      async () => (await platform.alice.get("/jobs?status=running")).body.jobs[0],
    );
    await (await workerOf(platform, id)).kill();
    const completion = await stream.finalChatCompletion();
    const job = await platform.alice.job(id);
    expect(job.attempt).toBe(2);
    expect(completion).toMatchObject({ id, choices: [{ message: { content: job.result.content } }] });
  });
});
