/** The producer of the baseline `bullmq`: at each SIGUSR2 it adds JOBS jobs, CLIENTS at a time. */
import { Queue } from "bullmq";
import { requiredEnv, serveUntilStopped } from "./baseline.ts";

const [jobs, clients] = [Number(requiredEnv("JOBS")), Number(requiredEnv("CLIENTS"))];
const queue = new Queue("bare", { connection: { url: requiredEnv("REDIS_URL") } });
await queue.waitUntilReady();

async function client(): Promise<void> {
  for (let left = jobs / clients; left > 0; left--) {
    await queue.add("job", { task: "" }, { removeOnComplete: true, removeOnFail: true });
  }
}

process.on("SIGUSR2", () => void Promise.all(Array.from({ length: clients }, client)));
serveUntilStopped(() => queue.close());
