/** Queues of a platform as BullMQ objects, released when the test ends. */
import { JOB_QUEUES, MAINTENANCE_QUEUE } from "@agent-paas/shared/contract/jobs.ts";
import { Queue } from "bullmq";
import { onTestFinished } from "vitest";
import type { PlatformRedis, QueueName } from "./bullmq.ts";

/** A queue of the platform, closed when the test ends. */
export function openQueue({ redis, keys }: PlatformRedis, name: QueueName): Queue {
  const queue = new Queue(name, { connection: redis, prefix: keys.bullmq });
  onTestFinished(() => queue.close());
  return queue;
}

/** All queues of a platform that only the test uses: emptied and closed when the test ends, before Redis is left. */
export function openQueues({ redis, keys }: PlatformRedis) {
  const connection = { connection: redis, prefix: keys.bullmq };
  const [chat, execute, knowledge] = JOB_QUEUES.map((name) => new Queue(name, connection)) as [Queue, Queue, Queue];
  const queues = { chat, execute, knowledge };
  const maintenance = new Queue(MAINTENANCE_QUEUE, connection);
  onTestFinished(async () => {
    for (const queue of [maintenance, ...Object.values(queues)]) {
      await queue.obliterate({ force: true });
      await queue.close();
    }
    redis.disconnect();
  });
  return { connection, queues, maintenance };
}
