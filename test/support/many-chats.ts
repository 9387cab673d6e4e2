/**
 * A program with many chats, one after the other, of one client and under one signal: what they leave behind. Its
 * arguments are the API's origin, its key and the number of chats; it prints a `Leftovers` as JSON. For 10,000 chats:
 * `node --expose-gc test/support/many-chats.ts ORIGIN KEY 10000`.
 */
import { getEventListeners } from "node:events";
import { setImmediate } from "node:timers/promises";
import { createClient } from "@agent-paas/client";

export type Leftovers = {
  /** Growth of the heap from the first third of the chats on, bytes for each chat. */
  readonly bytesPerChat: number;
  readonly listeners: number;
  /** Of timers and sockets, after the client's idle connections were closed. */
  readonly timers: number;
};

const [baseUrl = "", apiKey = "", count = "1000"] = process.argv.slice(2);
const client = createClient({ baseUrl, apiKey });
const { signal } = new AbortController();

async function chat(times: number): Promise<number> {
  for (let at = 0; at < times; at += 1) {
    await client.chat({ agent_type: "chat_basic", message: "Hello" }, { signal }).result();
  }
  // What a collection finalizes is free after the next one.
  for (let round = 0; round < 5; round += 1) {
    globalThis.gc?.();
    await setImmediate();
  }
  return process.memoryUsage().heapUsed;
}

const warmUp = Math.ceil(Number(count) / 3);
const before = await chat(warmUp);
const after = await chat(Number(count) - warmUp);
const leftovers: Leftovers = {
  bytesPerChat: (after - before) / (Number(count) - warmUp),
  listeners: getEventListeners(signal, "abort").length,
  timers: process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length,
};
console.log(JSON.stringify(leftovers));
process.exit();
