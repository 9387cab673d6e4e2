/** The worker of the baseline `floor`: BullMQ, the stream of the openai SDK, one publish per token. */
import { Worker } from "bullmq";
import { Redis } from "ioredis";
import OpenAI from "openai";
import { frame, requiredEnv, serveUntilStopped } from "./baseline.ts";

const redisUrl = requiredEnv("REDIS_URL");
const openai = new OpenAI({ baseURL: requiredEnv("OPENAI_BASE_URL"), apiKey: "sk-bench" });
const publisher = new Redis(redisUrl);

const worker = new Worker<{ message: string; channel: string }>(
  "floor",
  async ({ data: { message, channel } }) => {
    let id = 0;
    const stream = await openai.chat.completions.create({
      model: "local-model",
      stream: true,
      messages: [{ role: "user", content: message }],
    });
    for await (const chunk of stream) {
      const content = chunk.choices[0]?.delta.content;
      if (content) void publisher.publish(channel, frame(++id, "message", { content, type: "text" }));
    }
    await publisher.publish(channel, frame(++id, "done", { status: "completed" }));
  },
  { connection: { url: redisUrl, maxRetriesPerRequest: null }, concurrency: Number(requiredEnv("CONCURRENCY")) },
);
await worker.waitUntilReady();
serveUntilStopped(() => worker.close(true));
