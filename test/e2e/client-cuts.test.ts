/**
 * The client over connections that are cut at any byte, by proxies and by APIs that go away: every answer is whole,
 * byte for byte, and every question reaches the model once (I2).
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { createClient } from "@agent-paas/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CuttingProxy, startCuttingProxy } from "../support/cutting-proxy.ts";
import { expectWholeStream } from "../support/expect-stream.ts";
import { fresh } from "../support/fresh.ts";
import { inParallel } from "../support/in-parallel.ts";
import type { Leftovers } from "../support/many-chats.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { done, startScriptedApi, stream, text } from "../support/scripted-api.ts";
import { scriptedQuestion } from "../support/scripted-question.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { ROOT } from "../support/sources.ts";
import { waitFor } from "../support/wait-for.ts";

const CHATS = 300;
const AT_ONCE = 60;
const CUTS_OF_A_CHAT = 3;
const AWAY_MS = 20_000;
const STOP_WITHIN_MS = 15_000;

let platform: TestPlatform;
const proxies: CuttingProxy[] = [];
beforeAll(async () => {
  platform = await startTestPlatform({ apis: 2, workers: 2 });
});
afterAll(async () => {
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await platform.stop();
});

const random = seededRandom(18);
const origins = () => platform.apis.map(({ origin }) => origin);

async function cutting(...args: Parameters<typeof startCuttingProxy>): Promise<CuttingProxy> {
  const proxy = await startCuttingProxy(...args);
  proxies.push(proxy);
  return proxy;
}

test(`${CHATS} chats with ${CUTS_OF_A_CHAT} random cuts each, over two APIs, are whole byte for byte`, async () => {
  const cutsLeft = new Map<string, number>();
  // An answer's head has about 1 KiB and its events several, so there is always something left to cut.
  const cutAfter = (client: string) => {
    const left = cutsLeft.get(client) ?? CUTS_OF_A_CHAT;
    cutsLeft.set(client, left - 1);
    return left > 0 ? random.int(1, 2_000) : undefined;
  };
  const proxy = await cutting(origins(), { cutAfter });
  const run = fresh("client-cut");
  const cases = Array.from({ length: CHATS }, (_, at) =>
    scriptedQuestion(`${run}-${at}-`, random, { words: 60, rate: random.int(100, 600) }),
  );
  await inParallel(AT_ONCE, cases, async ({ label, message, answer }) => {
    const client = createClient({ baseUrl: proxy.url, apiKey: KEYS.alice, headers: { "X-Client": label } });
    const chat = client.chat({ agent_type: "chat_basic", message });
    const events = await Array.fromAsync(chat);
    expectWholeStream(events, answer, label);
    expect(Buffer.from(chat.text), label).toEqual(Buffer.from(answer));
  });
  expect(proxy.cuts()).toBe(CHATS * CUTS_OF_A_CHAT);
  expect(await platform.model.calls({ contains: run })).toHaveLength(CHATS);
}, 300_000);

test("a proxy that cuts every connection after a while never uses up the tries", async () => {
  // As a gateway with a bound of a minute, 60 times as fast; heartbeats and tries are as many times fewer.
  const proxy = await cutting(origins(), { lifetimeMs: 1_000 });
  const client = createClient({
    ...{ baseUrl: proxy.url, apiKey: KEYS.alice },
    ...{ retry: { tries: 3 }, silenceMs: 2_000 },
  });
  const config = { tools: ["calculator"], approve: ["calculator"] };
  const message = `silent [[calls=calculator({"expression":"6*7"})]]`;
  const silent = client.chat({ agent_type: "tool_basic", config, message });
  const { message: talking, answer } = scriptedQuestion(fresh("minute"), random, { words: 30, rate: 6 });
  const [told] = await Promise.all([
    client.chat({ agent_type: "chat_basic", message: talking }).result(),
    (async () => {
      for await (const { event, data } of silent) {
        if (event !== "thought" || data.type !== "approval_required") continue;
        // More connections without an event than there are tries.
        void waitFor("cuts", () => proxy.cuts() > 12, 60_000).then(() =>
          client.decide(String(silent.jobId), [{ request_id: String(data.request_id), decision: "approve" }]),
        );
      }
    })(),
  ]);
  expect(told.text).toBe(answer);
  expect((await silent.result()).status).toBe("completed");
}, 180_000);

test(`an API that restarts for ${AWAY_MS / 1_000} s is waited for`, async () => {
  const api = await platform.startApi();
  const proxy = await cutting([api.origin], {});
  const client = createClient({ baseUrl: proxy.url, apiKey: KEYS.alice });
  const run = fresh("restart");
  const { message, answer } = scriptedQuestion(run, random, { words: 60, rate: 20 });
  const chat = client.chat({ agent_type: "chat_basic", message });
  await waitFor("the first piece of the answer", async () => (await chat.next()).value?.event === "message");

  await api.stop(STOP_WITHIN_MS);
  proxy.lead([]);
  const startedMeanwhile = client.chat({ agent_type: "chat_basic", message: `Hello, ${run}` }).result();
  const whole = chat.result();
  await delay(AWAY_MS);
  proxy.lead([(await platform.startApi()).origin]);
  expect((await whole).text).toBe(answer);
  expect((await startedMeanwhile).text).toContain(`Hello, ${run}`);
  expect(await platform.model.calls({ contains: run })).toHaveLength(2);
}, 180_000);

test("10,000 chats leave no listener and no timer, and a flat heap", async () => {
  const { origin } = await startScriptedApi(stream(text(1, "a"), done(2)));
  const program = ["--expose-gc", join(ROOT, "test/support/many-chats.ts"), origin, "key", "10000"];
  const { stdout } = await promisify(execFile)(process.execPath, program, { timeout: 120_000 });
  const { bytesPerChat, listeners, timers }: Leftovers = JSON.parse(stdout);
  expect({ listeners, timers }).toEqual({ listeners: 0, timers: 0 });
  // What a chat takes while it runs is in the thousands; compiled code makes a few hundred.
  expect(bytesPerChat).toBeLessThan(1_000);
}, 300_000);
