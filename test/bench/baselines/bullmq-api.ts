/** The API of the baseline `bullmq-http`: bare node:http that adds a job for each POST and answers 202. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { Queue } from "bullmq";
import { LOOPBACK } from "../../../scripts/services/ports.ts";
import { requiredEnv, serveUntilStopped } from "./baseline.ts";

const queue = new Queue("bare", { connection: { url: requiredEnv("REDIS_URL") } });
await queue.waitUntilReady();

async function execute(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const body = await json(req);
  const { id } = await queue.add("job", body, { removeOnComplete: true, removeOnFail: true });
  res.writeHead(202, { "Content-Type": "application/json" }).end(JSON.stringify({ job_id: id }));
}

const server = createServer((req, res) => {
  execute(req, res).catch(() => res.destroy());
});
server.listen(Number(requiredEnv("PORT")), LOOPBACK, () => serveUntilStopped(() => server.closeAllConnections()));
