import { expect, test } from "vitest";
import { createSupervisedProcess } from "../services/supervised-process.ts";
import { Fleet, type Rank } from "./fleet.ts";

const READY = 'setInterval(() => {}, 1e6); process.send("ready");';
const NEVER_STOPS = `process.on("SIGTERM", () => {}); ${READY}`;

/** Starts a member that appends its name to `ended` when it ends in an orderly way. */
async function startMember(fleet: Fleet, rank: Rank, name: string, ended: string[], code: string) {
  const printsItsEnd = `process.on("exit", () => console.log("ended")); process.on("SIGTERM", () => process.exit(0));`;
  const member = createSupervisedProcess(
    {
      name,
      command: process.execPath,
      args: ["-e", code === READY ? printsItsEnd + code : code],
      env: {},
      ready: "message",
      onLine: () => ended.push(name),
    },
    () => {},
  );
  await fleet.start(rank, member);
}

test("a process stops before the processes it depends on", async () => {
  const fleet = new Fleet();
  const ended: string[] = [];
  for (const rank of ["redis", "worker", "api"] as const) await startMember(fleet, rank, rank, ended, READY);
  await fleet.stop(10_000);
  expect(ended).toEqual(["api", "worker", "redis"]);
});

test("a process that hangs is killed, and the ranks below it still stop in order", async () => {
  const fleet = new Fleet();
  const ended: string[] = [];
  await startMember(fleet, "redis", "redis", ended, READY);
  await startMember(fleet, "worker", "worker-1", ended, NEVER_STOPS);
  await fleet.stop(50);
  expect(ended).toEqual(["redis"]);
});

test("a fleet that has stopped starts no process", async () => {
  const fleet = new Fleet();
  await fleet.stop(0);
  await expect(startMember(fleet, "api", "api", [], READY)).rejects.toThrow();
});
