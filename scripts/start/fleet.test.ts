import { expect, test } from "vitest";
import { createPart } from "../services/part.ts";
import { Fleet, type Rank } from "./fleet.ts";

const READY = 'setInterval(() => {}, 1e6); process.send("ready");';
const NEVER_STOPS = `process.on("SIGTERM", () => {}); ${READY}`;

/** Records the name of each part as it goes. */
async function startPart(fleet: Fleet, rank: Rank, name: string, gone: string[], code: string) {
  const said = `process.on("exit", () => console.log("gone")); process.on("SIGTERM", () => process.exit(0));`;
  const part = createPart(
    {
      name,
      command: process.execPath,
      args: ["-e", code === READY ? said + code : code],
      env: {},
      ready: "message",
      onLine: () => gone.push(name),
    },
    () => {},
  );
  await fleet.start(rank, part);
}

test("what depends on others stops first", async () => {
  const fleet = new Fleet();
  const gone: string[] = [];
  for (const rank of ["redis", "worker", "api"] as const) await startPart(fleet, rank, rank, gone, READY);
  await fleet.stop(10_000);
  expect(gone).toEqual(["api", "worker", "redis"]);
});

test("a part that hangs is killed, and those below it still get their orderly end", async () => {
  const fleet = new Fleet();
  const gone: string[] = [];
  await startPart(fleet, "redis", "redis", gone, READY);
  await startPart(fleet, "worker", "worker-1", gone, NEVER_STOPS);
  await fleet.stop(50);
  expect(gone).toEqual(["redis"]);
});

test("nothing starts once it stops", async () => {
  const fleet = new Fleet();
  await fleet.stop(0);
  await expect(startPart(fleet, "api", "api", [], READY)).rejects.toThrow();
});
