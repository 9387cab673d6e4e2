/** Plugins: every module in a folder registers its agents at worker start; a broken one keeps none of the others out. */
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

export type PluginFailure = { readonly file: string; readonly error: unknown };

/** Imports the modules (`.ts`, `.js`, `.mjs`; tests and declarations left out) of `folder` in the order of their names. */
export async function loadPlugins(folder: string): Promise<{ loaded: string[]; failed: PluginFailure[] }> {
  const names = (await readdir(folder)).filter((name) => /(?<!\.test|\.d)\.(ts|js|mjs)$/.test(name)).sort();
  const loaded: string[] = [];
  const failed: PluginFailure[] = [];
  for (const name of names) {
    const file = resolve(join(folder, name));
    try {
      await import(pathToFileURL(file).href);
      loaded.push(file);
    } catch (error) {
      failed.push({ file, error });
    }
  }
  return { loaded, failed };
}
