/**
 * Which sources of a folder have changed. It looks at times and sizes again and again, because notifications of file
 * systems differ, lack some kinds of mounts, and would need a handle for every folder below `node_modules`.
 */
import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** How often it looks. A change counts when the next look finds no other one: editors and git write several files. */
const LOOK_EVERY_MS = 250;
/** npm writes it whenever it has installed or removed a package. */
const INSTALLED = "node_modules/.package-lock.json";

/** Path → what changes when the file does. */
type Files = ReadonlyMap<string, string>;

export type FolderWatch = {
  readonly folder: string;
  /** The paths, below the folder, of what has changed since the last time; ends with the signal. */
  readonly changes: AsyncGenerator<readonly string[], void>;
};

/** What changes from this call on is noticed, whenever somebody asks. */
export const createFolderWatch = (folder: string, signal: AbortSignal, lookEveryMs = LOOK_EVERY_MS): FolderWatch => ({
  folder,
  changes: changesOf({ folder, first: look(folder), signal, lookEveryMs }),
});

type Watched = { folder: string; first: Promise<Files>; signal: AbortSignal; lookEveryMs: number };

async function* changesOf({ folder, first, signal, lookEveryMs }: Watched): FolderWatch["changes"] {
  let known = await first;
  let latest = known;
  while (await pause(lookEveryMs, signal)) {
    const found = await look(folder);
    const isQuiet = differing(latest, found).length === 0;
    latest = found;
    const changed = isQuiet ? differing(known, found) : [];
    if (changed.length === 0) continue;
    known = found;
    yield changed;
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<boolean> =>
  delay(ms, true, { signal, ref: false }).catch(() => false);

const differing = (before: Files, after: Files): string[] =>
  [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path)).sort();

/** A folder that is missing, or goes while it is read, has no files. */
async function look(folder: string): Promise<Files> {
  const paths = [...(await listSources(folder, "")), INSTALLED];
  const states = await Promise.all(
    paths.map(async (path) => {
      const found = await stat(join(folder, path)).catch(() => null);
      return [path, found === null ? "" : `${found.mtimeMs} ${found.size}`] as const;
    }),
  );
  return new Map(states);
}

async function listSources(folder: string, below: string): Promise<string[]> {
  const entries = await readdir(join(folder, below), { withFileTypes: true }).catch((): Dirent[] => []);
  const found = entries.map(async (entry) => {
    const path = join(below, entry.name);
    if (entry.isDirectory()) return isLeftOut(entry.name) ? [] : listSources(folder, path);
    return isLeftOut(entry.name) || /\.test\.[cm]?[jt]s$/.test(entry.name) ? [] : [path];
  });
  return (await Promise.all(found)).flat();
}

/** Editors keep their own files under such names. */
const isLeftOut = (name: string): boolean => name === "node_modules" || name.startsWith(".") || name.endsWith("~");
