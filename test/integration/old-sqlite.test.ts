/**
 * An SQLite with the known fault of its write-ahead log is refused, by whoever opens the database. The library is made to
 * name an older version: none that old can be had.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { MIN_SQLITE_VERSION } from "@agent-paas/shared/db/open-database.ts";
import { expect, onTestFinished, test } from "vitest";
import { ChildError } from "../../scripts/services/child.ts";
import { startTestPlatform } from "../support/platform.ts";

const OLD_VERSION = "3.51.2";

/** To be loaded before anything else. */
const PRELOAD = `
import { createRequire } from "node:module";
const Database = createRequire(import.meta.url)(${JSON.stringify(createRequire(import.meta.url).resolve("better-sqlite3"))});
const { prepare } = Database.prototype;
Database.prototype.prepare = function (sql) {
  return prepare.call(this, sql.replace("sqlite_version()", "'${OLD_VERSION}'"));
};
`;

test("no worker starts on it, and no API reads with it", async () => {
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
  expect(lastLines.join("\n")).toContain(`SQLite ${OLD_VERSION} is too old; ${MIN_SQLITE_VERSION} is needed`);

  const { alice } = await platform.startApi(old);
  const health = (await alice.get("/health")).body;
  expect(health).toMatchObject({ status: "degraded", checks: { database: { status: "down" } } });
  expect((await alice.get("/sessions")).body.error).toMatchObject({ code: "database_unavailable" });
  expect((await platform.alice.get("/health")).body.checks.database.status).toBe("up");
});
