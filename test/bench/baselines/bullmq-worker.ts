/** The yardstick `bullmq`, its worker: an empty processor. */
import { Worker } from "bullmq";
import { requiredEnv, serveUntilTold } from "./baseline.ts";

const connection = { url: requiredEnv("REDIS_URL"), maxRetriesPerRequest: null };
const worker = new Worker("bare", async () => {}, { connection, concurrency: Number(requiredEnv("CONCURRENCY")) });
await worker.waitUntilReady();
serveUntilTold(() => worker.close(true));
