/**
 * Packets that the kernel drops, on links to the model and to what `fetch` reaches (Chroma, MCP servers): a request
 * ends within the stated time, also one that is sent on a connection whose link has just died. On a link to PostgreSQL,
 * what was on its way is not written twice.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { canHaveOwnNetwork, ownNetwork } from "../support/own-network.ts";
import { ROOT } from "../support/sources.ts";

/** The documented 10 s, and what a busy machine may add to the 9 s that it takes. */
const ENDS_WITHIN_MS = 13_000;

/** What the fixture prints. */
async function runInOwnNetwork<Result>(fixture: string): Promise<Result> {
  const { command, env } = ownNetwork([process.execPath, join(ROOT, "test/fixtures", fixture)]);
  const [file, ...args] = command;
  const { stdout } = await promisify(execFile)(file, args, { env: { ...process.env, ...env } });
  return JSON.parse(stdout);
}

test("requests end within 10 s of silence, acknowledged or not", async () => {
  // Elsewhere nobody can drop packets.
  if (!canHaveOwnNetwork()) return;
  const endings = await runInOwnNetwork<{ name: string; code: string; ms: number }[]>("dropped-packets.ts");
  expect(endings.map(({ name, code }) => `${name}: ${code}`)).toEqual([
    "the model, waiting for its answer: ETIMEDOUT",
    "the model, sent into the silence: ETIMEDOUT",
    "fetch, sent into the silence: ETIMEDOUT",
  ]);
  for (const { name, ms } of endings) expect(ms, name).toBeLessThan(ENDS_WITHIN_MS);
}, 60_000);

test("a batch that a dead link to PostgreSQL still holds is not delivered after its successor", async () => {
  if (!canHaveOwnNetwork()) return;
  expect(await runInOwnNetwork("dropped-batch.ts")).toEqual({ written: 1 });
}, 240_000);
