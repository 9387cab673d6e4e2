import { configDefaults, defineConfig } from "vitest/config";
import { onPostgres } from "./test/support/on-postgres.ts";
import { SQLITE_ONLY } from "./test/support/sqlite-only.ts";

/** Contract suites over fakes are as fast as units; those over real services run with the platform. */
const FAKES = "test/contract/memory-*.test.ts";

/** What runs on PostgreSQL as well whenever all tests run; `npm run test:postgres` runs the others, too. */
const ON_BOTH = ["execute", "orphaned-jobs", "retention"].map((name) => `test/integration/${name}.test.ts`);

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
            "test/architecture/**/*.test.ts",
            "test/providers/**/*.test.ts",
            FAKES,
            "test/bench/{client,measure,report}/**/*.test.ts",
            "test/bench/options.test.ts",
          ],
          testTimeout: 20_000,
        },
      },
      { test: { name: "scripts", include: ["scripts/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 } },
      {
        test: {
          name: "postgres",
          include: ON_BOTH,
          env: { TEST_DATABASE: "postgres" },
          globalSetup: ["test/support/global-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
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
          exclude: [...configDefaults.exclude, FAKES, ...(onPostgres ? Object.keys(SQLITE_ONLY) : [])],
          globalSetup: ["test/support/global-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
    maxWorkers: 2,
  },
});
