/**
 * Plugins: every module in a folder registers its agents and tools at worker start.
 * 1. A broken plugin does not keep the others from loading, and nothing that it registered stays.
 * 2. A name is never taken over: of two plugins with one agent, the later one in the order of file names fails.
 * 3. A fault that a plugin's import leaves running (a promise that rejects without a handler, a timer that throws) is
 *    recognised as the plugin's, however late it comes, so that the process can report it and go on: `pluginFault`.
 * A module that keeps the thread busy, or exits the process, cannot be contained.
 */
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { SECOND } from "@agent-paas/shared/time.ts";
import { offerOwnPackage } from "./own-package.ts";
import { currentPlugin, type PluginScope, runAsPlugin } from "./plugin-scope.ts";
import {
  foreignPlaceIn,
  lineIn,
  type SyntaxErrorWatch,
  unresolvedImportIn,
  watchSyntaxErrors,
} from "./source-places.ts";

export type PluginFailure = {
  readonly file: string;
  /** The error's message and, if known, the line of the plugin or of the module that it imports. */
  readonly reason: string;
};

export type PluginOptions = {
  /** How long a plugin's import may take, ms. Default: 10 s. */
  readonly importWithinMs?: number;
};

/** Deep enough to reach the plugin below the frames of a library that throws. */
const STACK_FRAMES = 100;

/**
 * Imports the modules of `folder` in the order of their names: `.ts`, `.js`, `.mjs` and the like. Tests, declarations
 * and subfolders are left out; plugins may keep shared code in subfolders. Registrations go to the given registries.
 */
export async function loadPlugins(
  folder: string,
  { agents, toolbox }: Pick<PluginScope, "agents" | "toolbox">,
  { importWithinMs = 10 * SECOND }: PluginOptions = {},
): Promise<{ loaded: string[]; failed: PluginFailure[] }> {
  const entries = await readdir(folder).catch(() => {
    throw new Error(`AGENTS_DIR=${folder}: there is no such folder as ${resolve(folder)}`);
  });
  const names = entries.filter((name) => /(?<!\.test|\.d)\.[cm]?[jt]s$/.test(name)).sort();
  const files = names.map((name) => resolve(join(folder, name)));
  const loaded: string[] = [];
  const failed: PluginFailure[] = [];

  offerOwnPackage();
  const stackFrames = Error.stackTraceLimit;
  Error.stackTraceLimit = STACK_FRAMES;
  const syntaxErrors = watchSyntaxErrors();
  try {
    for (const file of files) {
      try {
        const scope: PluginScope = { file, folder: files, agents, toolbox };
        await runAsPlugin(scope, () => importWithin(file, importWithinMs));
        loaded.push(file);
      } catch (error) {
        agents.revoke(file);
        toolbox.revoke(file);
        failed.push({ file, reason: describe(error, file, syntaxErrors) });
      }
    }
  } finally {
    syntaxErrors.stop();
    Error.stackTraceLimit = stackFrames;
  }
  return { loaded, failed };
}

/**
 * The plugin whose import led to this uncaught error or unhandled rejection; null when the fault is no plugin's. Must
 * be called inside the process's listener for the fault, where Node restores the async context of the code that failed.
 */
export function pluginFault(error: unknown): PluginFailure | null {
  const plugin = currentPlugin();
  return plugin === undefined ? null : { file: plugin.file, reason: describe(error, plugin.file) };
}

/** The timer keeps the process alive: a pending top-level await alone would let it exit. */
async function importWithin(file: string, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`a top-level await did not end within ${ms / SECOND} s`)), ms);
  });
  try {
    await Promise.race([import(pathToFileURL(file).href), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** `Error: message (line 7)`; a line of another file comes with its name. */
function describe(error: unknown, file: string, syntaxErrors?: SyntaxErrorWatch): string {
  if (!(error instanceof Error)) return `it threw ${inspect(error)}, which is no Error and has no line`;
  const message = `${error.name}: ${error.message}`;
  const own = lineIn(error, file);
  if (own !== null) return `${message} (line ${own})`;
  const place = syntaxErrors?.placeOf(error) ?? unresolvedImportIn(error) ?? foreignPlaceIn(error);
  if (place === null) return message;
  return `${message} (${place.file === file ? "" : `${place.file}, `}line ${place.line})`;
}
