/**
 * I5: a worker is killed between two tool calls of one job and during the tool calls of another. Both jobs start over
 * in the next worker and complete. A finished call is not repeated; a call in doubt is repeated only if its tool is
 * idempotent.
 */
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectOneDone } from "../support/expect-stream.ts";
import { FIXTURE_AGENTS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { readDatabase } from "../support/platform-state.ts";
import { type SseEvent, type SseStream, shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "agent-paas-crash-"));
  platform = await startTestPlatform({ env: FIXTURE_AGENTS });
});
afterAll(async () => {
  await platform.stop();
  await rm(dir, { recursive: true });
});

const count = (tool: string, args: { file: string; word: string; hold?: boolean }) =>
  `${tool}(${JSON.stringify(args)})`;

/** How often each word was counted, and with how many call ids. */
async function counted(file: string): Promise<Record<string, { times: number; calls: number }>> {
  const lines = (await readFile(file, "utf8")).split("\n").filter((line) => line.includes(" "));
  return Object.fromEntries(
    [...new Set(lines.map((line) => line.split(" ")[0] ?? ""))].map((word) => {
      const own = lines.filter((line) => line.startsWith(`${word} `));
      return [word, { times: own.length, calls: new Set(own).size }];
    }),
  );
}

const ask = (message: string): Promise<SseStream> =>
  platform.alice.chat({ agent_type: "tool_basic", message, config: { tools: ["count_*"] } });

const resultsOf = (events: readonly SseEvent[]) =>
  events
    // Results of the attempt that completed.
    .slice(events.findLastIndex(({ data }) => data.type === "reset"))
    .filter(({ data }) => data.type === "tool_result")
    .map(({ data }) => [data.name, data.status, data.replayed]);

test("finished calls are not made again, whether the worker dies between two calls or inside them", async () => {
  const [between, inside] = [join(dir, "between"), join(dir, "inside")];
  await Promise.all([writeFile(between, ""), writeFile(inside, "")]);
  const first = await ask(
    `[[calls=${count("count_once", { file: between, word: "a" })}|${count("count_once", { file: between, word: "b" })} fault=silence turn=1 times=1]]`,
  );
  const second = await ask(
    `[[calls=${count("count_once", { file: inside, word: "x" })}|${count("count_once", { file: inside, word: "y", hold: true })};${count("count_again", { file: inside, word: "z", hold: true })}]]`,
  );
  const streams = Promise.all([first.all(), second.all()]);

  await waitFor("the calls during which the worker is killed", async () => {
    const isSilent = (await platform.model.calls({ contains: between })).length === 2;
    const held = await counted(inside);
    return isSilent && held.y !== undefined && held.z !== undefined;
  });
  await platform.workers[0]?.kill();
  await appendFile(inside, "release\n");
  await platform.startWorker();

  const [firstEvents, secondEvents] = await streams;
  expectOneDone(firstEvents, "between");
  expectOneDone(secondEvents, "inside");
  const once = { times: 1, calls: 1 };
  expect(await counted(between)).toEqual({ a: once, b: once });
  // The idempotent tool was called twice with one call id.
  expect(await counted(inside)).toEqual({ x: once, y: once, z: { times: 2, calls: 1 } });
  expect(resultsOf(firstEvents)).toEqual([
    ["count_once", "ok", true],
    ["count_once", "ok", false],
  ]);
  expect(resultsOf(secondEvents).sort()).toEqual([
    ["count_again", "ok", false],
    ["count_once", "in_doubt", false],
    ["count_once", "ok", true],
  ]);

  // Finished model turns are not repeated either.
  expect(await platform.model.calls({ contains: between })).toHaveLength(4);
  expect(await platform.model.calls({ contains: inside })).toHaveLength(3);
  expect(await platform.alice.job(second.jobId)).toMatchObject({
    ...{ status: "completed", attempt: 2, result: { content: shownText(secondEvents) } },
  });

  const entries = await readDatabase(platform, (db) =>
    db("agent_steps").where({ job_id: second.jobId }).orderBy("step_no").select("kind", "status"),
  );
  expect(entries.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
    ...["model finished", "tool finished", "model finished", "tool started", "tool finished"],
  ]);
}, 90_000);
