/**
 * Plugins: every module in a folder registers its agents and tools at worker start.
 * 1. A broken plugin keeps none of the others out, and nothing that it registered stays.
 * 2. A name is never taken over: of two plugins with one agent the later in the order of names is the broken one.
 * 3. What a plugin's import leaves running and unheeded (a promise that rejects, a timer that throws) is reported and
 *    does not end the process, however late it comes.
 * Nothing helps against a module that keeps the thread busy, or exits the process.
 */
import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { SECOND } from "@agent-paas/shared/time.ts";
import { asPlugin, currentPlugin, takeBack } from "./registrations.ts";
import {
  foreignPlaceIn,
  lineIn,
  type SyntaxErrorWatch,
  unresolvedImportIn,
  watchSyntaxErrors,
} from "./source-places.ts";

export type PluginFailure = {
  readonly file: string;
  /** The error's words and, where it can be told, the line of the plugin or of the module that it imports. */
  readonly reason: string;
};

export type PluginOptions = {
  /** How long a plugin's import may take, ms. Default: 10 s. */
  readonly importWithinMs?: number;
  /** Hears of what plugins leave unheeded, as long as the process lives. Default: a warning of the process. */
  readonly onFault?: (fault: PluginFailure) => void;
};

/** Deep enough to reach the plugin below the library that throws. */
const STACK_FRAMES = 100;

/**
 * Imports the modules of `folder` in the order of their names: `.ts`, `.js`, `.mjs` and their like; tests and
 * declarations are left out, and so are folders, where plugins may keep what they share.
 */
export async function loadPlugins(
  folder: string,
  { importWithinMs = 10 * SECOND, onFault = warn }: PluginOptions = {},
): Promise<{ loaded: string[]; failed: PluginFailure[] }> {
  const entries = await readdir(folder).catch(() => {
    throw new Error(`AGENTS_DIR=${folder}: there is no such folder as ${resolve(folder)}`);
  });
  const names = entries.filter((name) => /(?<!\.test|\.d)\.[cm]?[jt]s$/.test(name)).sort();
  const files = names.map((name) => resolve(join(folder, name)));
  const loaded: string[] = [];
  const failed: PluginFailure[] = [];
  keepFaults("uncaughtException", onFault);
  keepFaults("unhandledRejection", onFault);

  const stackFrames = Error.stackTraceLimit;
  Error.stackTraceLimit = STACK_FRAMES;
  const syntaxErrors = watchSyntaxErrors();
  try {
    for (const file of files) {
      try {
        await asPlugin({ file, all: files }, () => importWithin(file, importWithinMs));
        loaded.push(file);
      } catch (error) {
        takeBack(file);
        failed.push({ file, reason: describe(error, file, syntaxErrors) });
      }
    }
  } finally {
    syntaxErrors.stop();
    Error.stackTraceLimit = stackFrames;
  }
  return { loaded, failed };
}

/** The timer keeps the process alive: an import that waits for ever does not. */
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

/** Stands before the listeners of the process, which end it. */
function keepFaults(event: "uncaughtException" | "unhandledRejection", onFault: (fault: PluginFailure) => void): void {
  type Listener = (error: unknown, detail: unknown) => void;
  const others = process.listeners(event as "uncaughtException") as Listener[];
  process.removeAllListeners(event);
  process.on(event as "unhandledRejection", (error, detail) => {
    const plugin = currentPlugin();
    if (plugin !== undefined) onFault({ file: plugin.file, reason: describe(error, plugin.file) });
    else if (others.length === 0) throw error;
    else for (const other of others) other(error, detail);
  });
}

/** `Error: words (line 7)`; a line of another file comes with its name. */
function describe(error: unknown, file: string, syntaxErrors?: SyntaxErrorWatch): string {
  if (!(error instanceof Error)) return `it threw ${inspect(error)}, which is no Error and tells no line`;
  const words = `${error.name}: ${error.message}`;
  const own = lineIn(error, file);
  if (own !== null) return `${words} (line ${own})`;
  const place = syntaxErrors?.placeOf(error) ?? unresolvedImportIn(error) ?? foreignPlaceIn(error);
  if (place === null) return words;
  return `${words} (${place.file === file ? "" : `${place.file}, `}line ${place.line})`;
}

const warn = ({ file, reason }: PluginFailure) => process.emitWarning(`${file}: ${reason}`, "PluginWarning");
