/**
 * An SQLite with the known fault of its write-ahead log is refused by workers and APIs. The library is patched to
 * report an older version, because packages with so old an SQLite are not available.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { MIN_SQLITE_VERSION } from "@agent-paas/shared/db/sqlite/open-database.ts";
import { expect, onTestFinished, test } from "vitest";
import { ChildError } from "../../scripts/services/child.ts";
import { startTestPlatform } from "../support/platform.ts";

const OLD_VERSION = "3.51.2";

/** Loaded with `--import`, before the process's own modules. */
const PRELOAD = `
import { createRequire } from "node:module";
const Database = createRequire(import.meta.url)(${JSON.stringify(createRequire(import.meta.url).resolve("better-sqlite3"))});
const { prepare } = Database.prototype;
Database.prototype.prepare = function (sql) {
  return prepare.call(this, sql.replace("sqlite_version()", "'${OLD_VERSION}'"));
};
`;

test("with an old SQLite no worker starts, and an API reports the database as down", async () => {
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-old-sqlite-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  const preload = join(dir, "old-sqlite.mjs");
  await writeFile(preload, PRELOAD);
  const old = { NODE_OPTIONS: `--import ${pathToFileURL(preload)}` };
  const platform = await startTestPlatform();
  onTestFinished(() => platform.stop());

  const refusal = await platform.startWorker(old).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(ChildError);
  const { message, lastLines } = refusal as ChildError;
  expect(message).toContain("exit code 1");
  for (const version of [OLD_VERSION, MIN_SQLITE_VERSION]) expect(lastLines.join("\n")).toContain(version);

  const { alice } = await platform.startApi(old);
  const health = (await alice.get("/health")).body;
  expect(health).toMatchObject({ status: "degraded", checks: { database: { status: "down" } } });
  expect((await alice.get("/sessions")).body.error).toMatchObject({ code: "database_unavailable" });
  expect((await platform.alice.get("/health")).body.checks.database.status).toBe("up");
});
