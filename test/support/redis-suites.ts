/** Which test files run on which kind of Redis. */

/**
 * Files that `npm test` also runs with Redis behind Sentinels and as a cluster, beside those that start such servers
 * themselves (`failover-*.test.ts` and others): those that use what a kind differs in. Behind Sentinels that is how a
 * server is found; on a cluster also where keys and channels are.
 */
const ON_SENTINEL = ["test/integration/event-fence.test.ts", "test/integration/container-checks.test.ts"];

export const ON_REDIS_SETS: Readonly<Record<"sentinel" | "cluster", readonly string[]>> = {
  sentinel: ON_SENTINEL,
  cluster: [
    ...ON_SENTINEL,
    "test/contract/event-log.test.ts",
    "test/integration/cancel.test.ts",
    "test/integration/session-order.test.ts",
  ],
};

/**
 * Files that have nothing to do with the kind of Redis, or are about one plain server by nature; left out by
 * `npm run test:sentinel` and `npm run test:cluster`. The faults of several servers are in
 * `failover-*.test.ts`, `redis-tls-acl.test.ts` and the chaos scenario `failovers`.
 */
const REASONS: Readonly<Record<string, string>> = {
  "test/integration/redis-outage.test.ts": "kills and pauses its own server, and starts it again",
  "test/integration/redis-answers.test.ts": "keeps its own server busy",
  "test/integration/redis-policy.test.ts": "starts processes beside its own server with a wrong policy",
  "test/integration/redis-refuses-writes.test.ts": "makes its own server refuse writes",
  "test/integration/start-without-redis.test.ts": "starts processes before its own server",
  "test/integration/silent-links.test.ts": "puts links that fall silent before its own server",
  "test/integration/silent-nodes.test.ts": "starts both kinds itself",
  "test/integration/lost-jobs.test.ts": "empties its own server",
  "test/integration/lost-ends.test.ts": "breaks the connections of its own server",
  "test/integration/admission.test.ts": "limits the memory of its own server",
  "test/integration/owner-shares.test.ts": "limits the memory of its own server",
  "test/integration/large-jobs.test.ts": "measures the memory of its own server",
  "test/integration/readiness.test.ts": "counts the commands of its own server",
  "test/integration/wall-clocks.test.ts": "watches the clock of its own server",
  "test/integration/failover-sentinel.test.ts": "starts its servers itself",
  "test/integration/failover-cluster.test.ts": "starts its servers itself",
  "test/integration/redis-tls-acl.test.ts": "starts both kinds itself",
  "test/integration/event-shards.test.ts": "starts a cluster itself",
  "test/e2e/slow-clients.test.ts": "counts the bytes of its own server",
  "test/e2e/follower-leaks.test.ts": "lists the clients of its own server",
  "test/e2e/durable-cancel.test.ts": "kills its own server",
  "test/e2e/npm-start.test.ts": "starts one server as `npm start` does",
  "test/chaos/short.test.ts": "has its own option for the kind",
  "test/bench/smoke.test.ts": "measures one server",
};

export const PLAIN_REDIS_ONLY: readonly string[] = Object.keys(REASONS);
