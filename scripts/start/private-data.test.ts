import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { UsageError } from "./options.ts";
import { preparePrivateFolders } from "./private-data.ts";

function createBase(): string {
  const base = mkdtempSync(join(tmpdir(), "agent-paas-private-data-"));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  return base;
}

function openFile(path: string): void {
  writeFileSync(path, "");
  chmodSync(path, 0o644);
}

function openFolder(path: string, ...files: string[]): string {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o755);
  for (const file of files) openFile(join(path, file));
  return path;
}

const modes = (...paths: string[]) => paths.map((path) => (statSync(path).mode & 0o777).toString(8));

test("folders that do not exist are made for their owner alone", () => {
  const base = createBase();
  const [dataDir, logDir] = [join(base, "a/data"), join(base, "a/logs")];
  expect(preparePrivateFolders({ dataDir, logDir }, base)).toEqual([]);
  expect(modes(join(base, "a"), dataDir, logDir)).toEqual(["700", "700", "700"]);
});

test("what a former version left for everybody to read is closed, with the folder that holds nothing else", () => {
  const base = createBase();
  const dataDir = openFolder(join(base, "mine"), "agent-paas.db", "agent-paas.db-wal", "api-key", "start.lock");
  const redis = openFolder(join(dataDir, "redis/appendonlydir"), "appendonly.aof.1.incr.aof");
  const logDir = openFolder(join(base, "my-logs"), "redis.log", "redis.log.1", "api.1.log", "worker-1.12.log");
  expect(preparePrivateFolders({ dataDir, logDir }, base)).toEqual([]);
  expect(modes(dataDir, redis, logDir)).toEqual(["700", "700", "700"]);
  const files = [
    "agent-paas.db",
    "agent-paas.db-wal",
    "api-key",
    "start.lock",
    "redis/appendonlydir/appendonly.aof.1.incr.aof",
  ];
  expect(new Set(modes(...files.map((file) => join(dataDir, file))))).toEqual(new Set(["600"]));
});

test("a folder that holds other things keeps its mode and theirs, and ours in it are closed", () => {
  const home = openFolder(createBase(), "agent-paas.db", "letter.txt");
  openFolder(join(home, "public"), "page.html");
  expect(preparePrivateFolders({ dataDir: home, logDir: undefined }, "/elsewhere")).toEqual([]);
  const paths = ["", "letter.txt", "public", "public/page.html", "agent-paas.db"].map((path) => join(home, path));
  expect(modes(...paths)).toEqual(["755", "644", "755", "644", "600"]);
});

test("the default folders are closed whatever they hold", () => {
  const root = createBase();
  const dataDir = openFolder(join(root, "data"), "backup.db");
  const logDir = openFolder(join(root, "logs"), "notes.txt");
  preparePrivateFolders({ dataDir, logDir }, root);
  expect(modes(dataDir, logDir)).toEqual(["700", "700"]);
});

test.each(["dataDir", "logDir"])("a folder that cannot be made is an error that names its setting: %s", (option) => {
  const base = createBase();
  openFile(join(base, "file"));
  const folders = { dataDir: join(base, "data"), logDir: join(base, "logs"), [option]: join(base, "file/below") };
  const prepare = () => preparePrivateFolders(folders, base);
  expect(prepare).toThrow(UsageError);
  expect(prepare).toThrow(option === "dataDir" ? /^DATA_DIR: .*file\/below cannot be used/ : /^LOG_DIR: .*file\/below/);
});
