import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createFolderWatch } from "./folder-watch.ts";

test("changes of sources are noticed together, tests and packages are left out, and an installation counts", async () => {
  const folder = await mkdtemp(join(tmpdir(), "folder-watch-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const write = (name: string, text: string) => writeFile(join(folder, name), text);
  await mkdir(join(folder, "lib"));
  await mkdir(join(folder, "node_modules/pad"), { recursive: true });
  await write("a.ts", "1");
  const stop = new AbortController();
  const { changes } = createFolderWatch(folder, stop.signal, 50);

  const first = changes.next();
  for (const name of ["a.test.ts", "node_modules/pad/index.js", ".a.ts.swp", "a.ts~"]) await write(name, "1");
  await write("lib/b.js", "1");
  await write("a.ts", "22");
  expect((await first).value).toEqual(["a.ts", "lib/b.js"]);

  await write("node_modules/.package-lock.json", "{}");
  expect((await changes.next()).value).toEqual(["node_modules/.package-lock.json"]);
  await rm(join(folder, "a.ts"));
  expect((await changes.next()).value).toEqual(["a.ts"]);
  stop.abort();
  expect((await changes.next()).done).toBe(true);
});

test("a folder that is missing is waited for", async () => {
  const parent = await mkdtemp(join(tmpdir(), "folder-watch-"));
  onTestFinished(() => rm(parent, { recursive: true }));
  const stop = new AbortController();
  const { changes } = createFolderWatch(join(parent, "agents"), stop.signal, 50);
  const change = changes.next();
  await mkdir(join(parent, "agents"));
  await writeFile(join(parent, "agents/a.js"), "1");
  expect((await change).value).toEqual(["a.js"]);
  stop.abort();
});
