import { execFileSync } from "node:child_process";
import { createClient } from "@agent-paas/client";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";
import type { Call } from "./call.ts";
import { clientOf } from "./client.ts";
import { curlOf } from "./curl.ts";
import { openAiOf } from "./openai.ts";

const BASE = "http://127.0.0.1:8000/";
const HOSTILE = [
  `it's "$HOME" \`id\` $(id) \\n \\' !! % 你好\r\n\t<<'JSON'\nJSON\n`,
  "\u001b[31m\u202e\u2028\u007f 👨‍👩‍👧 \u{e0001}",
].join("");

const chat = (message: string, more: object = {}): Call => ({
  kind: "chat",
  body: { agent_type: "chat_basic", message, ...more },
});

/** What the shell gives to curl: its arguments, and its input. */
function argumentsOf(line: string): { args: string[]; input: string } {
  const script = `curl() { printf '%s\\0' "$@"; case "$*" in *'-d @-'*) cat;; esac; }\n${line}`;
  const parts = execFileSync("sh", {
    input: script,
    env: { ...process.env, AGENT_PAAS_KEY: "the key" },
    encoding: "utf8",
  }).split("\0");
  return { args: parts.slice(0, -1), input: parts.at(-1) ?? "" };
}

describe("curl", () => {
  test("a shell reads any text as it is, and the key from the environment", () => {
    const { args } = argumentsOf(curlOf(chat(HOSTILE), BASE));
    expect(args).toContain("http://127.0.0.1:8000/api/v1/chat/completions");
    expect(args).toContain("Authorization: Bearer the key");
    expect(JSON.parse(args[args.indexOf("-d") + 1] ?? "")).toEqual({ agent_type: "chat_basic", message: HOSTILE });
  });

  test("what is too long for an argument comes from the input", () => {
    const message = `${HOSTILE}${"字".repeat(50_000)}`;
    const { args, input } = argumentsOf(curlOf(chat(message), BASE));
    expect(args[args.indexOf("-d") + 1]).toBe("@-");
    expect(JSON.parse(input)).toEqual({ agent_type: "chat_basic", message });
  });

  test("names of agents, collections and files stand in the address as they must", () => {
    const upload: Call = { kind: "upload", collection: "it's", source: "a 'b' $c.md" };
    const { args } = argumentsOf(curlOf(upload, BASE));
    expect(args[0]).toBe("http://127.0.0.1:8000/api/v1/knowledge/it's/documents?source=a%20'b'%20%24c.md");
    expect(args.at(-1)).toBe("@a 'b' $c.md");
    expect(curlOf({ kind: "execute", agent: "a/b", body: { task: "Go" } }, BASE)).toContain("/agents/a%2Fb/execute");
    expect(curlOf({ kind: "events", jobId: "j", after: 7 }, BASE)).toContain("/jobs/j/events?after=7'");
    expect(curlOf({ kind: "query", collection: "c", body: { query: "q" } }, BASE)).toContain("/knowledge/c/query");
  });

  test("no character can change how the line is shown", () => {
    expect(curlOf(chat(HOSTILE), BASE)).not.toMatch(/[\p{Cf}\p{Zl}\p{Zp}]|[^\P{Cc}\n]/u);
  });
});

type Sent = { readonly path: string; readonly body: unknown; readonly key: string | null };

/** Runs lines of JavaScript with the real libraries, and returns the first request that they send. */
async function requestOf(code: string): Promise<Sent> {
  const sent: Sent[] = [];
  const record: typeof fetch = async (address, { body, headers } = {}) => {
    const { pathname, search } = new URL(String(address));
    const key = new Headers(headers).get("authorization");
    const text = body instanceof Blob ? await body.text() : body instanceof ReadableStream ? await textOf(body) : body;
    sent.push({ path: pathname + search, body: typeof text === "string" ? text : null, key });
    return Response.json({ error: { code: "invalid_request", message: "enough" } }, { status: 400 });
  };
  const Lines = Object.getPrototypeOf(async () => {}).constructor;
  const run = new Lines("OpenAI", "createClient", "openAsBlob", "process", code.replace(/^import .*$/gm, ""));
  await expect(
    run(
      class extends OpenAI {
        constructor(options: object) {
          super({ ...options, fetch: record, maxRetries: 0 });
        }
      },
      (options: object) => createClient({ ...options, fetch: record }),
      async (name: string) => new Blob([`content of ${name}`]),
      { env: { AGENT_PAAS_KEY: "the key" } },
    ),
  ).rejects.toThrow("enough");
  const [first] = sent;
  if (first === undefined) throw new Error("nothing was sent");
  const { body } = first;
  return { ...first, body: typeof body === "string" && body.startsWith("{") ? JSON.parse(body) : body };
}

const textOf = (stream: ReadableStream): Promise<string> => new Response(stream).text();

describe("client", () => {
  test.each<[string, Call, string, unknown]>([
    [
      "a chat",
      chat(HOSTILE, { config: { __proto__: null, "a-b": [1, null, true] } }),
      "/api/v1/chat/completions",
      {
        agent_type: "chat_basic",
        message: HOSTILE,
        config: { "a-b": [1, null, true] },
      },
    ],
    [
      "a job",
      { kind: "execute", agent: "a/b", body: { task: "Go", input: JSON.parse('{"__proto__":{"x":"y"}}') } },
      "/api/v1/agents/a%2Fb/execute",
      { task: "Go", input: JSON.parse('{"__proto__":{"x":"y"}}') },
    ],
    [
      "a query",
      { kind: "query", collection: "it's", body: { query: HOSTILE, top_k: 3 } },
      "/api/v1/knowledge/it's/query",
      {
        query: HOSTILE,
        top_k: 3,
      },
    ],
    [
      "a pasted text",
      { kind: "upload", collection: "c", source: "a.md", text: HOSTILE },
      "/api/v1/knowledge/c/documents?source=a.md",
      HOSTILE,
    ],
    [
      "a file",
      { kind: "upload", collection: "c", source: "茶.md" },
      "/api/v1/knowledge/c/documents?source=%E8%8C%B6.md",
      "content of 茶.md",
    ],
    ["a job's events", { kind: "events", jobId: "j", after: 7 }, "/api/v1/jobs/j/events", null],
  ])("sends %s as it is", async (_what, call, path, body) => {
    expect(await requestOf(clientOf(call, BASE))).toEqual({ path, body, key: "Bearer the key" });
  });
});

describe("openai", () => {
  const config = { temperature: 0.2, system_prompt: HOSTILE, response_schema: { type: "object" }, stop: null };

  test("a chat is a chat completion; what the protocol has no name for goes into config", async () => {
    const code = openAiOf(chat(HOSTILE, { session_id: "s", config }), BASE, "javascript");
    expect(await requestOf(code ?? "")).toEqual({
      path: "/v1/chat/completions",
      key: "Bearer the key",
      body: {
        model: "chat_basic",
        messages: [{ role: "user", content: HOSTILE }],
        stream: true,
        temperature: 0.2,
        response_format: { type: "json_schema", json_schema: { name: "answer", schema: { type: "object" } } },
        metadata: { session_id: "s" },
        config: { system_prompt: HOSTILE, stop: null },
      },
    });
  });

  test("an execute job is a response in the background", async () => {
    const body = { task: HOSTILE, config, limits: { max_steps: 2 } };
    const code = openAiOf({ kind: "execute", agent: "chat_basic", body }, BASE, "javascript");
    expect(await requestOf(code ?? "")).toEqual({
      path: "/v1/responses",
      key: "Bearer the key",
      body: {
        model: "chat_basic",
        input: HOSTILE,
        background: true,
        temperature: 0.2,
        text: { format: { type: "json_schema", name: "answer", schema: { type: "object" } } },
        config: { system_prompt: HOSTILE, stop: null },
        limits: { max_steps: 2 },
      },
    });
  });

  test("the events of a job are those of its response", async () => {
    const code = openAiOf({ kind: "events", jobId: "j", after: 7 }, BASE, "javascript");
    expect((await requestOf(code ?? "")).path).toBe("/v1/responses/j?stream=true&starting_after=7");
  });

  test("Python has its own words, and takes the platform's fields as extra_body", () => {
    const call = chat("你好 'it' \"is\" \\ \u{e0001}", { config: { ...config, system_prompt: "a\nb", think: true } });
    expect(openAiOf(call, BASE, "python")).toBe(`import os

from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:8000/v1", api_key=os.environ["AGENT_PAAS_KEY"])

stream = client.chat.completions.create(
    model="chat_basic",
    messages=[{"role": "user", "content": "你好 'it' \\"is\\" \\\\ \\U000e0001"}],
    stream=True,
    temperature=0.2,
    response_format={
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": {"type": "object"}},
    },
    extra_body={"config": {"system_prompt": "a\\nb", "stop": None, "think": True}},
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
`);
  });

  test.each<[string, Call]>([
    ["documents", { kind: "upload", collection: "c", source: "a" }],
    ["queries", { kind: "query", collection: "c", body: { query: "q" } }],
    ["a job with data", { kind: "execute", agent: "a", body: { task: "Go", input: [1] } }],
  ])("%s are not of the protocol", (_what, call) => {
    expect([openAiOf(call, BASE, "javascript"), openAiOf(call, BASE, "python")]).toEqual([null, null]);
  });
});
