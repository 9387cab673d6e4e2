/** Migrations are forward-only, and each says whether workers of an older version may run beside it. */
import { basename } from "node:path";
import { expect, test } from "vitest";
import { listFiles, readText } from "../support/sources.ts";

const FOLDER = "apps/worker/src/storage/migrations";
const files = listFiles(`${FOLDER}/*.ts`);
const nameOf = (file: string) => basename(file, ".ts");

/** What the file's header answers to the question; undefined when it has no such line. */
const answerOf = (file: string) => {
  const [, header = ""] = /^\/\*\*([\s\S]*?)\*\//.exec(readText(file)) ?? [];
  return /^ \* May old workers run beside it: (yes|no|not applicable), because \S/m.exec(header)?.[1];
};

test("each migration's header says whether old workers may run beside it, and why", () => {
  expect(files.length).toBeGreaterThanOrEqual(6);
  expect(files.filter((file) => answerOf(file) === undefined)).toEqual([]);
});

test("a migration's name ends with -breaking exactly when old workers may not run beside it", () => {
  expect(files.filter((file) => (answerOf(file) === "no") !== nameOf(file).endsWith("-breaking"))).toEqual([]);
});

test("no migration has a way back", () => {
  expect(files.filter((file) => /\bdown\b/.test(readText(file)))).toEqual([]);
});

/** With gaps: branches that grow side by side take their numbers beforehand. */
test("each migration has a number of its own, and the worker runs all of them in this order", () => {
  const numbers = files.map((file) => Number(nameOf(file).slice(0, 3)));
  expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
  const registered = [...readText("apps/worker/src/storage/migrate.ts").matchAll(/^ {2}\["([\w-]+)", \w+\],$/gm)];
  expect(registered.map(([, name]) => name)).toEqual(files.map(nameOf));
});
