/** Plugins: every module in a folder registers its agents at worker start; a broken one keeps none of the others out. */
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

export type PluginFailure = {
  readonly file: string;
  /** The error's words and, where it tells, the line of the plugin. */
  readonly reason: string;
};

/** Imports the modules (`.ts`, `.js`, `.mjs`; tests and declarations left out) of `folder` in the order of their names. */
export async function loadPlugins(folder: string): Promise<{ loaded: string[]; failed: PluginFailure[] }> {
  const entries = await readdir(folder).catch(() => {
    throw new Error(`AGENTS_DIR=${folder}: there is no such folder as ${resolve(folder)}`);
  });
  const names = entries.filter((name) => /(?<!\.test|\.d)\.(ts|js|mjs)$/.test(name)).sort();
  const loaded: string[] = [];
  const failed: PluginFailure[] = [];
  for (const name of names) {
    const file = resolve(join(folder, name));
    try {
      await import(pathToFileURL(file).href);
      loaded.push(file);
    } catch (error) {
      failed.push({ file, reason: describe(error, file) });
    }
  }
  return { loaded, failed };
}

/** `Error: words (line 7)`; the line is the first of the plugin's own in the stack, which syntax errors begin with. */
function describe(error: unknown, file: string): string {
  if (!(error instanceof Error)) return String(error);
  const line = error.stack?.split(file)[1]?.match(/^:(\d+)/)?.[1];
  return `${error.name}: ${error.message}${line === undefined ? "" : ` (line ${line})`}`;
}
