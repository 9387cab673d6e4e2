import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { dumpSchema, SCHEMA_FILE } from "../support/dump-schema.ts";

test("schema.sql shows the schema after all migrations; `npm run schema` writes it", async () => {
  expect(await dumpSchema()).toBe(await readFile(SCHEMA_FILE, "utf8"));
});
