/** `npm start -- --watch`: agents are loaded anew while jobs run, and mistakes in them are shown and change nothing. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { newAgent } from "../../scripts/new-agent/write-agent.ts";
import { freePort } from "../../scripts/services/ports.ts";
import { createApiClient } from "../support/api-client.ts";
import { npmStart, stopClean } from "../support/npm-start.ts";
import { ROOT } from "../support/sources.ts";

/** Lies outside the project; says `word` in a few pieces, so that jobs are under way while workers change. */
const agent = (word: string, broken = "") => `
import { type AgentContext, type AgentInput, BaseAgent, registerAgent, text } from "@agent-paas/agents";
import { pause } from "./lib/pause.js";
import { z } from "zod";
${broken}
class Agent extends BaseAgent {
  static description: string = "An agent of a test.";
  static config = z.strictObject({ pieces: z.int().default(1) });
  async *run({ text: task }: AgentInput, { config, signal }: AgentContext<{ pieces: number }>) {
    if (task === "Wait for two" && "${word}" === "one") await pause(signal, 3_600_000);
    for (let at = 0; at < config.pieces; at++) {
      await pause(signal);
      yield text("${word} ");
    }
  }
}
registerAgent("sayer")(Agent);
`;

const PAUSE = `import { setTimeout as delay } from "node:timers/promises";
export const pause = (signal, ms = 100) => delay(ms, undefined, { signal });
`;

test("a save reloads the agents, no job is lost, and a broken agent leaves the former ones at work", async () => {
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-watch-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const agents = join(dir, "agents");
  const save = (text: string) => writeFile(join(agents, "sayer.ts"), text);
  await mkdir(join(agents, "lib"), { recursive: true });
  await mkdir(join(agents, "node_modules"));
  // A copy of its own, as `npm install` would make it.
  await cp(join(ROOT, "node_modules/zod"), join(agents, "node_modules/zod"), { recursive: true });
  await writeFile(join(agents, "package.json"), '{"type":"module"}');
  await newAgent({ id: "sayer", folder: agents, root: ROOT });
  await writeFile(join(agents, "lib/pause.js"), PAUSE);
  await save(agent("one"));

  const port = await freePort();
  const started = npmStart(dir, { AGENTS_DIR: agents }, "--port", String(port), "--watch");
  onTestFinished(() => stopClean(started));
  await started.up();
  const alice = createApiClient(`http://127.0.0.1:${port}`, (await readFile(join(dir, "data/api-key"), "utf8")).trim());
  const start = (pieces: number, task = "Say it") => alice.execute(task, { config: { pieces } }, "sayer");
  const said = async (jobId: string) => (await alice.ended(jobId)).result.content.trim().split(" ");
  expect(await said(await start(2))).toEqual(["one", "one"]);

  const running = await Promise.all(Array.from({ length: 10 }, () => start(20)));
  const long = await start(3, "Wait for two");
  await Promise.all([...running, long].map((jobId) => alice.started(jobId)));
  await save(agent("two"));
  await started.shows(/worker-1 .*has the new agents/);
  const meanwhile = await Promise.all(Array.from({ length: 10 }, () => start(3)));
  await started.shows(/worker-2 .*has the new agents/);
  for (const jobId of running) expect(new Set(await said(jobId)).size).toBe(1);
  for (const jobId of meanwhile) expect(await said(jobId)).toHaveLength(3);
  // It outlived the grace of its worker, so it went on in another one.
  expect(await said(long)).toEqual(["two", "two", "two"]);
  expect(await said(await start(1))).toEqual(["two"]);

  await save(agent("three", 'throw new Error("not finished");'));
  await started.shows("not finished (line 5)");
  await started.shows("the former ones go on");
  expect(await said(await start(1))).toEqual(["two"]);

  await save(agent("four", 'const wrong: number = "text";\nvoid wrong;'));
  await started.shows(/sayer\.ts\(5,7\): error TS2322/);
  await started.shows(/(has the new agents[\s\S]*){4}/);
  expect(await said(await start(1))).toEqual(["four"]);
}, 240_000);
