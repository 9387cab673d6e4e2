/**
 * The client's package in a folder of its own, as a user installs it: its size, its types, every example of its README
 * in Node, and the same client in Chromium, on a page of another origin than the API.
 */
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { formatDirectives } from "../../scripts/model-server/client.ts";
import type { Server } from "../../scripts/services/server.ts";
import { startTestChroma } from "../support/chroma.ts";
import { startChromium } from "../support/chromium.ts";
import { fresh } from "../support/fresh.ts";
import { type LoopbackServer, startLoopbackServer } from "../support/loopback-server.ts";
import { type PackedClient, packClient } from "../support/packed-client.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

const NAME = "@agent-paas/client";
const MOST_BYTES = 6 * 1_024;

const PAGE = `<!doctype html><script type="module">import * as client from "/client.js"; window.client = client</script>`;
/** The globals of a page, for the functions that run there. */
type OnPage = { readonly client: typeof import("@agent-paas/client"); cut(): Promise<void> };

let packed: PackedClient;
let chroma: Server;
let pages: LoopbackServer;
let platform: TestPlatform;
let proxy: TcpProxy;
let browser: Browser;
/** What pages asked their own origin for. */
const asked: string[] = [];

beforeAll(async () => {
  // One by one: beside a failure nothing is left that nobody stops.
  packed = await packClient();
  chroma = await startTestChroma();
  browser = await startChromium();
  const script = await packed.read("index.js");
  pages = await startLoopbackServer((_body, response, { url = "" }) => {
    asked.push(url);
    if (url === "/client.js") response.writeHead(200, { "Content-Type": "text/javascript" }).end(script);
    else if (url === "/") response.writeHead(200, { "Content-Type": "text/html" }).end(PAGE);
    else response.writeHead(200, { "Content-Type": "application/json" }).end('{"agents":[]}');
  });
  platform = await startTestPlatform({ env: { CHROMA_URL: chroma.url, CORS_ORIGINS: pages.origin } });
  proxy = await startTcpProxy(platform.alice.origin);
}, 180_000);
afterAll(async () => {
  await Promise.all([browser?.close(), proxy?.close(), platform?.stop()]);
  await Promise.all([pages?.close(), chroma?.stop(), packed?.remove()]);
});

async function onPage<T>(work: (page: Page) => Promise<T>): Promise<T> {
  const page = await browser.newPage();
  try {
    await page.goto(pages.origin);
    return await work(page);
  } finally {
    await page.close();
  }
}

const reach = () => ({ baseUrl: proxy.url, apiKey: KEYS.alice });

test("the package is one module of less than 6 KiB gzipped, its types, and no dependency", async () => {
  const { dependencies, version, exports } = JSON.parse(await packed.read("package.json"));
  expect([dependencies, version]).toEqual([undefined, expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
  expect(exports).toEqual({ ".": { types: "./index.d.ts", default: "./index.js" } });
  const others = packed.files.filter((file) => !file.endsWith(".d.ts"));
  expect(others.toSorted()).toEqual(["LICENSE", "README.md", "index.js", "index.js.map", "package.json"]);
  expect(gzipSync(await packed.read("index.js"), { level: 9 }).length).toBeLessThan(MOST_BYTES);
});

test("the types stand alone, for Node and for browsers, and refuse what the API refuses", async () => {
  const use = (request: string) =>
    `import { createClient } from "${NAME}";\nexport const chat = createClient().chat(${request});\n`;
  await packed.write("right.ts", use('{ agent_type: "a", message: [{ type: "text", text: "t" }], on_busy: "queue" }'));
  await packed.write("wrong.ts", use('{ agent_type: "a", mesage: "m" }'));
  const setups = [
    { module: "nodenext", lib: ["es2022"], types: ["node"] },
    { module: "esnext", moduleResolution: "bundler", lib: ["es2022", "dom"], types: [] },
  ];
  for (const setup of setups) {
    const found = await packed.types(["right.ts", "wrong.ts"], setup);
    expect(found).toContain("wrong.ts");
    expect(found.match(/error TS/g)).toHaveLength(1);
    expect(found).toContain("mesage");
  }
}, 180_000);

test("every example of the README has right types and does in Node what it says", async () => {
  const examples = [...(await packed.read("README.md")).matchAll(/```js\n(.*?)```/gs)].map(([, code = ""]) => code);
  const env = { PATH: process.env.PATH, AGENT_PAAS_URL: platform.alice.origin, AGENT_PAAS_KEY: KEYS.alice };
  const printed: string[] = [];
  for (const [at, code] of examples.entries()) {
    await packed.write(`example-${at}.mts`, code);
    await packed.write(`example-${at}.mjs`, code);
    printed.push(await packed.node(`example-${at}.mjs`, env));
  }
  const sources = examples.map((_, at) => `example-${at}.mts`);
  expect(await packed.types(sources, { module: "nodenext", lib: ["es2022"], types: ["node"] })).toBe("");
  expect(printed).toEqual([
    expect.stringMatching(/This is the local model\. You said: "Hello"\ncompleted [0-9a-f-]{36}\n$/),
    expect.stringMatching(/^completed This is the local model(.|\n)*\n\d+ done\n$/),
    "cancelled\n",
    "may it call calculator { expression: '6*7' }\ncalculator: 42\n",
    expect.stringMatching(/^temperature { city: 'Paris' }\nstop /),
    "0 of 46 bytes\n46 of 46 bytes\ncompleted\ntea.md\n",
    "invalid_api_key 401 false\n",
    "ok\n",
  ]);
}, 180_000);

test("a chat on a page is whole although its connection is cut again and again", async () => {
  const answer = "这是 the answer, 🙂 without a lost character. ".repeat(8);
  const label = fresh("on a page");
  const request = { agent_type: "chat_basic", message: `${label} ${formatDirectives({ text: answer, rate: 40 })}` };
  let cuts = 0;
  const seen = await onPage(async (page) => {
    await page.exposeFunction("cut", () => {
      cuts += 1;
      proxy.sever();
    });
    return page.evaluate(
      async ([options, message]) => {
        const { client, cut } = globalThis as unknown as OnPage;
        const chat = client.createClient(options).chat(message);
        const ids: number[] = [];
        for await (const { id } of chat) {
          ids.push(id);
          if (ids.length % 30 === 10) await cut();
        }
        return { ids, ...(await chat.result()) };
      },
      [reach(), request] as const,
    );
  });
  expect(seen).toMatchObject({ text: answer, status: "completed", job_id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  expect(seen.ids).toEqual(seen.ids.map((_, at) => at + 1));
  expect(await platform.model.calls({ contains: label })).toHaveLength(1);
  expect(cuts).toBeGreaterThan(1);
});

test("a page uploads a file with its progress, aborts without cancelling, and gets errors with their codes", async () => {
  const seen = await onPage((page) =>
    page.evaluate(async (options) => {
      const { createClient } = (globalThis as unknown as OnPage).client;
      const client = createClient(options);
      const file = new File(["Words. ".repeat(100_000)], "words.txt", { type: "text/plain" });
      const progress: number[] = [];
      const stored = await client.knowledge.upload("pages", file, {
        onProgress: ({ sent, total }) => progress.push(sent / total),
      });
      const { status } = await client.jobs.wait(stored.job_id);

      const caller = new AbortController();
      const chat = client.chat(
        { agent_type: "chat_basic", message: "[[tokens=500 rate=20]]" },
        { signal: caller.signal },
      );
      const left = await (async () => {
        for await (const { event } of chat) if (event === "message") caller.abort(new Error("enough"));
      })().catch((error: Error) => error.message);
      const { status: afterwards } = await client.jobs.get(String(chat.jobId));
      await client.cancel(String(chat.jobId));

      const stranger = createClient({ ...options, apiKey: "wrong" });
      const code = await stranger.sessions.list().catch((error) => error.code);
      return { status, sent: progress.at(-1), left, afterwards, code, own: await createClient().agents.list() };
    }, reach()),
  );
  expect(seen).toEqual({
    ...{ status: "completed", sent: 1, left: "enough", afterwards: "running", code: "invalid_api_key", own: [] },
  });
  expect(asked.at(-1)).toBe("/api/v1/agents");
});
