/** A minute of seeded chaos with every test run; the long runs are `npm run chaos`. */
import { expect, test } from "vitest";
import { readOptions } from "./options.ts";
import { runChaos } from "./run.ts";

const SEED = 20_261_122;

test("each kind of fault once, and every number that should be zero is", async () => {
  const options = readOptions(["--scenario", "short", "--seed", String(SEED), "--at-once", "20"]);
  const { passed, text } = await runChaos(options, () => {});
  expect(passed, text).toBe(true);
}, 240_000);
