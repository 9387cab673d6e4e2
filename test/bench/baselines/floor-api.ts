/**
 * The API of the baseline `floor`: bare node:http in front of a BullMQ queue; tokens return over Redis pub/sub, with
 * one subscriber connection for all streams. No database and no log: a token published without a subscriber is lost.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { LOOPBACK } from "../../../scripts/services/ports.ts";
import { requiredEnv, SSE_HEADERS, serveUntilStopped } from "./baseline.ts";

const redisUrl = requiredEnv("REDIS_URL");
const queue = new Queue("floor", { connection: { url: redisUrl } });
const subscriber = new Redis(redisUrl);
const streams = new Map<string, ServerResponse>();

subscriber.on("message", (channel: string, frame: string) => {
  const res = streams.get(channel);
  if (!res) return;
  if (!frame.includes("\nevent: done\n")) {
    res.write(frame);
    return;
  }
  res.end(frame);
});

async function chat(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { message } = (await json(req)) as { message: string };
  const jobId = randomUUID();
  const channel = `floor:${jobId}`;
  res.on("close", () => {
    streams.delete(channel);
    void subscriber.unsubscribe(channel);
  });
  streams.set(channel, res);
  res.writeHead(200, SSE_HEADERS).flushHeaders();
  await subscriber.subscribe(channel);
  await queue.add("chat", { message, channel }, { jobId, removeOnComplete: true, removeOnFail: true });
}

const server = createServer((req, res) => {
  chat(req, res).catch(() => res.destroy());
});
await queue.waitUntilReady();
server.listen(Number(requiredEnv("PORT")), LOOPBACK, () => serveUntilStopped(() => server.closeAllConnections()));
