import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadPlugins } from "./plugins.ts";

test("a broken plugin is reported and keeps none of the others out", async () => {
  const folder = await mkdtemp(join(tmpdir(), "plugins-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "a-good.mjs"), "globalThis.loadedPlugins = ['a'];");
  await writeFile(join(folder, "b-broken.mjs"), "throw new Error('broken on purpose');");
  await writeFile(join(folder, "c-good.js"), "globalThis.loadedPlugins.push('c');");
  await writeFile(join(folder, "d.test.ts"), "throw new Error('a test is no plugin');");
  await writeFile(join(folder, "notes.md"), "no module");

  const { loaded, failed } = await loadPlugins(folder);
  expect(loaded).toEqual([join(folder, "a-good.mjs"), join(folder, "c-good.js")]);
  expect(failed).toEqual([{ file: join(folder, "b-broken.mjs"), error: new Error("broken on purpose") }]);
  expect((globalThis as { loadedPlugins?: string[] }).loadedPlugins).toEqual(["a", "c"]);
});
