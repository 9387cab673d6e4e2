/** One minute of chaos from a fixed seed in every test run; `npm run chaos` starts the long runs. */
import { expect, test } from "vitest";
import { onPostgres } from "../support/on-postgres.ts";
import { readOptions } from "./options.ts";
import { runChaos } from "./run.ts";

const SEED = 20_261_122;

test("a run with each kind of fault once leaves all columns of the checker that must be zero at zero", async () => {
  const database = onPostgres ? "postgres" : "sqlite";
  const args = ["--scenario", "short", "--seed", String(SEED), "--at-once", "20", "--database", database];
  const options = readOptions(args);
  const { passed, text } = await runChaos(options, () => {});
  expect(passed, text).toBe(true);
}, 240_000);
