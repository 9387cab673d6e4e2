/** The worker of the baselines `bullmq` and `bullmq-http`: an empty processor. */
import { Worker } from "bullmq";
import { requiredEnv, serveUntilStopped } from "./baseline.ts";

const connection = { url: requiredEnv("REDIS_URL"), maxRetriesPerRequest: null };
const worker = new Worker("bare", async () => {}, { connection, concurrency: Number(requiredEnv("CONCURRENCY")) });
await worker.waitUntilReady();
serveUntilStopped(() => worker.close(true));
