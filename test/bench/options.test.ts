import { expect, test } from "vitest";
import { readOptions } from "./options.ts";
import { selectScenarios } from "./run.ts";

const namesOf = (...args: string[]) => selectScenarios(readOptions(args)).map(({ name }) => name);

test("without options all scenarios run in three rounds", () => {
  expect(readOptions([])).toMatchObject({ quick: false, rounds: 3, workers: 2 });
  expect(namesOf()).toEqual(expect.arrayContaining(["single", "s2000", "jobs-1", "million", "soak"]));
});

test("the quick form runs one round and omits the long scenarios", () => {
  expect(readOptions(["--quick"]).rounds).toBe(1);
  expect(namesOf("--quick")).toEqual(["single", "s50", "s500", "fast", "jobs-1", "jobs-2", "history", "start"]);
});

test("--only accepts a scenario's name, or the first word of several names", () => {
  expect(namesOf("--only", "s50,jobs")).toEqual(["s50", "jobs-1", "jobs-2"]);
  expect(() => namesOf("--only", "s5")).toThrow("no scenario 's5'");
});

test("--systems restricts the systems and drops scenarios without any of them", () => {
  const [jobs] = selectScenarios(readOptions(["--systems", "bullmq"]));
  expect(jobs).toMatchObject({ name: "jobs-1", systems: ["bullmq"] });
  expect(namesOf("--systems", "direct")).not.toContain("history");
});

test("the product on PostgreSQL or on a Redis Cluster is measured when it is asked for, and only where it has a meaning", () => {
  const systemsOf = (...args: string[]) => selectScenarios(readOptions(args)).map(({ systems }) => systems);
  expect(systemsOf().flat()).not.toContain("ours-pg");
  expect(systemsOf("--only", "s500", "--database", "postgres")[0]).toContain("ours-pg");
  expect(systemsOf("--only", "soak", "--database", "postgres")[0]).toEqual(["ours"]);
  expect(systemsOf().flat()).not.toContain("ours-cluster");
  expect(systemsOf("--only", "s500", "--redis", "cluster")[0]).toContain("ours-cluster");
  expect(() => readOptions(["--redis", "sentinel"])).toThrow("--redis: 'sentinel' is none of single, cluster");
  expect(() => readOptions(["--database", "mysql"])).toThrow("--database: 'mysql' is none of sqlite, postgres");
});

test("a count that is not a positive integer is refused", () => {
  expect(() => readOptions(["--rounds", "0"])).toThrow("--rounds: '0'");
  expect(() => readOptions(["--workers", "two"])).toThrow("--workers: 'two'");
});
