import { join } from "node:path";
import { configDefaults, defineConfig } from "vitest/config";
import "./scripts/compile-cache.mjs";
import agentsPackage from "./packages/agents/package.json" with { type: "json" };
import { compileCacheEnv } from "./packages/shared/src/lifecycle/compile-cache.ts";
import { onPostgres } from "./test/support/on-postgres.ts";
import { ON_REDIS_SETS, PLAIN_REDIS_ONLY } from "./test/support/redis-suites.ts";
import { FlakyReporter } from "./test/support/report-flaky.ts";
import { SQLITE_ONLY } from "./test/support/sqlite-only.ts";

// What tests start takes the compiled sources from there, as with `npm start`: half a second of CPU for each process.
Object.assign(process.env, compileCacheEnv());

/** Contract suites over fakes are as fast as units; those over real services run with the platform. */
const FAKES = "test/contract/memory-*.test.ts";

/** What runs on PostgreSQL as well whenever all tests run; `npm run test:postgres` runs the others, too. */
const ON_BOTH = ["execute", "orphaned-jobs", "retention"].map((name) => `test/integration/${name}.test.ts`);
const NEVER_POSTGRES = onPostgres ? Object.keys(SQLITE_ONLY) : [];

/** Redis behind Sentinels and as a cluster: `npm test` runs a part, `npm run test:sentinel` and the like the whole. */
const { TEST_REDIS, AGENTS_DIR = "agents" } = process.env;
const NEVER_PLAIN = TEST_REDIS === undefined ? [] : PLAIN_REDIS_ONLY;

/** Agents find the platform's package wherever their folder lies, as in a worker. */
const OWN_PACKAGE = Object.entries(agentsPackage.exports).map(([path, file]) => ({
  find: new RegExp(`^@agent-paas/agents${path.slice(1)}$`),
  replacement: join(import.meta.dirname, "packages/agents", file),
}));

/** On a crowded machine: what fails once in thousands of tests is repeated, and named at the end. */
const RETRY = process.env.CI ? 1 : 0;

/** A process for each file costs a second and more; what a test changes of its process, it puts back. */
const SHARED_PROCESS = { isolate: false };

/**
 * Each in a process of its own, in which parts of the platform, thousands of sockets or a page run. The HTTP client's
 * timers for idle connections are made once in a process, and stand still if a test had faked the clock then.
 */
const OWN_PROCESS = [
  "packages/agents/src/http/http-agent.test.ts",
  "test/e2e/follower-leaks.test.ts",
  "test/integration/knowledge-jobs.test.ts",
  "test/integration/use-chat.test.ts",
];

const PLATFORM = {
  ...SHARED_PROCESS,
  globalSetup: ["test/support/global-setup.ts"],
  retry: RETRY,
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

/** Units stand beside their sources; the others run whole processes, so few of them run at once. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: [
            "apps/*/src/**/*.test.ts",
            "packages/*/src/**/*.test.ts",
            "packages/agents/template/*.test.ts",
            "test/architecture/**/*.test.ts",
            "test/providers/**/*.test.ts",
            FAKES,
            "test/bench/{client,measure,report}/**/*.test.ts",
            "test/bench/options.test.ts",
            "test/hosts/**/*.test.ts",
          ],
          exclude: [...configDefaults.exclude, ...OWN_PROCESS],
          testTimeout: 60_000,
          ...SHARED_PROCESS,
          retry: RETRY,
        },
      },
      // Of the agents of this installation; the platform has none there itself.
      { test: { name: "agents", dir: AGENTS_DIR, include: ["**/*.test.ts"], alias: OWN_PACKAGE } },
      { test: { name: "scripts", include: ["scripts/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 } },
      {
        test: {
          name: "postgres",
          include: ON_BOTH,
          env: { TEST_DATABASE: "postgres" },
          ...PLATFORM,
        },
      },
      {
        test: {
          name: "platform",
          include: [
            "test/contract/**/*.test.ts",
            "test/integration/**/*.test.ts",
            "test/e2e/**/*.test.ts",
            "test/chaos/**/*.test.ts",
            "test/bench/smoke.test.ts",
          ],
          exclude: [...configDefaults.exclude, FAKES, ...OWN_PROCESS, ...NEVER_PLAIN, ...NEVER_POSTGRES],
          ...PLATFORM,
        },
      },
      {
        test: {
          name: "own-process",
          include: OWN_PROCESS,
          exclude: [...configDefaults.exclude, ...NEVER_PLAIN, ...NEVER_POSTGRES],
          ...PLATFORM,
          isolate: true,
        },
      },
      {
        test: { name: "sentinel", include: [...ON_REDIS_SETS.sentinel], env: { TEST_REDIS: "sentinel" }, ...PLATFORM },
      },
      { test: { name: "cluster", include: [...ON_REDIS_SETS.cluster], env: { TEST_REDIS: "cluster" }, ...PLATFORM } },
    ],
    maxWorkers: 3,
    reporters: ["default", new FlakyReporter()],
  },
});
