/**
 * The official tests of draft 2020-12, checked as the platform checks every schema. What does not come out as the draft
 * says is listed in `test/support/schema-suite-exceptions.ts`; the list can only shrink.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SECOND } from "@agent-paas/shared/time.ts";
import { expect, onTestFinished, test } from "vitest";
import { REFUSED, WRONG } from "../../../../test/support/schema-suite-exceptions.ts";
import { createSchemaChecks, InvalidSchema, type SchemaChecks } from "./json-schema.ts";

type Group = {
  readonly description: string;
  readonly schema: boolean | Readonly<Record<string, unknown>>;
  readonly tests: readonly { readonly description: string; readonly data: unknown; readonly valid: boolean }[];
};

const FOLDER = join(import.meta.dirname, "../../../../test/fixtures/json-schema-test-suite/draft2020-12");

const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"));

/** A schema of the platform is an object; the suite's boolean ones are put into one. */
const asObject = (schema: Group["schema"]) => (typeof schema === "boolean" ? { allOf: [schema] } : schema);

/** What became of a file's groups: the refused ones, and the tests with another outcome than the draft's. */
async function run(
  file: string,
  checks: SchemaChecks,
): Promise<{ readonly refused: string[]; readonly wrong: string[]; readonly tests: number }> {
  const groups: readonly Group[] = JSON.parse(readFileSync(join(FOLDER, file), "utf8"));
  const [refused, wrong]: [string[], string[]] = [[], []];
  for (const { description, schema, tests } of groups) {
    try {
      const check = await checks.prepare(asObject(schema), "ann");
      for (const one of tests) {
        const fits = (await check(one.data)) === null;
        if (fits !== one.valid) wrong.push(`${file}: ${description}: ${one.description}`);
      }
    } catch (error) {
      if (!(error instanceof InvalidSchema)) throw error;
      refused.push(`${file}: ${description}`);
    }
  }
  return { refused, wrong, tests: groups.flatMap(({ tests }) => tests).length };
}

test("the draft's own tests come out as they should, but for a list of exceptions that can only shrink", async () => {
  // Longer than the platform's second: only the verdicts count here, also on a busy machine.
  const checks = createSchemaChecks(20 * SECOND);
  onTestFinished(() => checks.close());
  const outcomes = [];
  for (const file of files) outcomes.push(await run(file, checks));
  expect(outcomes.reduce((sum, { tests }) => sum + tests, 0)).toBeGreaterThan(1_300);
  expect(outcomes.flatMap(({ refused }) => refused).sort()).toEqual(Object.values(REFUSED).flat().sort());
  expect(outcomes.flatMap(({ wrong }) => wrong).sort()).toEqual(Object.values(WRONG).flat().sort());
}, 60_000);
