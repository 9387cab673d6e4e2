import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadPlugins } from "./plugins.ts";

test("a broken plugin is reported and keeps none of the others out", async () => {
  const folder = await mkdtemp(join(tmpdir(), "plugins-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "a-good.mjs"), "globalThis.loadedPlugins = ['a'];");
  await writeFile(join(folder, "b-broken.mjs"), "\nthrow new Error('broken on purpose');");
  await writeFile(join(folder, "c-good.js"), "globalThis.loadedPlugins.push('c');");
  await writeFile(join(folder, "e-syntax.mjs"), "\n\nconst const = 1;");
  await writeFile(join(folder, "d.test.ts"), "throw new Error('a test is no plugin');");
  await writeFile(join(folder, "notes.md"), "no module");

  const { loaded, failed } = await loadPlugins(folder);
  expect(loaded).toEqual([join(folder, "a-good.mjs"), join(folder, "c-good.js")]);
  expect(failed).toEqual([
    { file: join(folder, "b-broken.mjs"), reason: "Error: broken on purpose (line 2)" },
    { file: join(folder, "e-syntax.mjs"), reason: expect.stringMatching(/\(line 3\)$/) },
  ]);
  expect((globalThis as { loadedPlugins?: string[] }).loadedPlugins).toEqual(["a", "c"]);
});

test("a folder that is missing is named", async () => {
  await expect(loadPlugins("no/such/folder")).rejects.toThrow(
    /AGENTS_DIR=no\/such\/folder: there is no such folder as \//,
  );
});
