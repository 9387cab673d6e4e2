import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadDotEnv } from "./dot-env.ts";

test("a file with a byte-order mark keeps its first variable, and existing variables win", () => {
  const file = join(mkdtempSync(join(tmpdir(), "dot-env-")), ".env");
  writeFileSync(file, "\ufeffFIRST=1\nSECOND=2\n");
  const env: NodeJS.ProcessEnv = { SECOND: "own" };
  loadDotEnv(file, env);
  expect(env).toEqual({ FIRST: "1", SECOND: "own" });
  loadDotEnv(`${file}.missing`, env);
});
