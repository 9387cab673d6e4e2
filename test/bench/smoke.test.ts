/** A minimal run of the benchmark: it shows between two full runs that the benchmark still works. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LoadClient, startLoadClient } from "./client/load-client.ts";
import { measureStreams, type StreamLoad } from "./scenarios/measure-streams.ts";
import type { SystemName } from "./scenarios/scenario.ts";
import { type ModelServer, startModel } from "./systems/model.ts";

const LOAD: StreamLoad = { clients: 2, chatsPerClient: 2, tokens: 20, rate: 200, rampMs: 0 };

let model: ModelServer;
let load: LoadClient;

beforeAll(async () => {
  [model, load] = await Promise.all([startModel(), startLoadClient()]);
});

afterAll(async () => {
  load?.stop();
  await model?.stop();
});

test.each<SystemName>([
  "model",
  "direct",
  "floor",
  "floor-2",
  "ours-1",
  "ours",
  "ours-openai",
  "ours-pg",
  "ours-cluster",
])("the system %s delivers every token once and yields figures", async (system) => {
  const remarks: string[] = [];
  const context = {
    ...{ model, load, workers: 2, quick: true, soakMinutes: 1, cpuProfDir: undefined },
    remark: (text: string) => remarks.push(text),
  };
  const figures = await measureStreams(system, context, LOAD, []);
  expect(remarks).toEqual([]);
  expect(figures).toMatchObject({ failures: 0, missing: 0, doubled: 0 });
  expect(figures.tokensPerSecond).toBeGreaterThan(0);
  expect(figures.lagMsP50).not.toBeNaN();
  if (system !== "model") expect(figures.cpuUsPerToken).toBeGreaterThan(0);
  if (system === "ours-cluster") expect(figures.redisNode3UsPerToken).toBeGreaterThan(0);
  if (system === "ours-pg") expect(figures.databaseUsPerToken).toBeGreaterThan(0);
});
