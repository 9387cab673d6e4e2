import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadPlugins } from "./plugins.ts";

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "plugins-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, source] of Object.entries(files)) await writeFile(join(folder, name), source);
  return folder;
}

test("a broken plugin is reported and keeps none of the others out", async () => {
  const folder = await folderOf({
    "a-good.mjs": "globalThis.loadedPlugins = ['a'];",
    "b-broken.mjs": "\nthrow new Error('broken on purpose');",
    "c-good.js": "globalThis.loadedPlugins.push('c');",
    "d.test.ts": "throw new Error('a test is no plugin');",
    "d.d.ts": "throw new Error('nor is a declaration');",
    "notes.md": "no module",
  });
  const { loaded, failed } = await loadPlugins(folder);
  expect(loaded).toEqual([join(folder, "a-good.mjs"), join(folder, "c-good.js")]);
  expect(failed).toEqual([{ file: join(folder, "b-broken.mjs"), reason: "Error: broken on purpose (line 2)" }]);
  expect((globalThis as { loadedPlugins?: string[] }).loadedPlugins).toEqual(["a", "c"]);
});

test("what is thrown may be anything", async () => {
  const folder = await folderOf({
    "a.mjs": "throw 'a text';",
    "b.mjs": "throw undefined;",
    "c.mjs": "throw Object.create(null);",
    "d.mjs": "throw Object.create(Error.prototype);",
    "e.mjs": "throw Object.assign(new Error('odd'), { stack: 7 });",
  });
  const { failed } = await loadPlugins(folder);
  expect(failed.map(({ reason }) => reason)).toEqual([
    "it threw 'a text', which is no Error and tells no line",
    "it threw undefined, which is no Error and tells no line",
    "it threw [Object: null prototype] {}, which is no Error and tells no line",
    "Error: ",
    "Error: odd",
  ]);
});

test("an import that does not end is left behind", async () => {
  const folder = await folderOf({ "a.mjs": "await new Promise(() => {});", "b.mjs": "export {};" });
  const { loaded, failed } = await loadPlugins(folder, { importWithinMs: 50 });
  expect(failed).toEqual([
    { file: join(folder, "a.mjs"), reason: "Error: a top-level await did not end within 0.05 s" },
  ]);
  expect(loaded).toEqual([join(folder, "b.mjs")]);
});

test("a folder that is missing is named", async () => {
  await expect(loadPlugins("no/such/folder")).rejects.toThrow(
    /AGENTS_DIR=no\/such\/folder: there is no such folder as \//,
  );
});
