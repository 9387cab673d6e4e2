/**
 * Which log files stay. Every start of a process creates one, so a crash loop creates many: so many of a name, and of a
 * folder, stay, and so many bytes. The oldest go first; a file that cannot be removed keeps no other one from going.
 */
import { lstatSync, readdirSync, rmSync } from "node:fs";
import { utimes } from "node:fs/promises";
import { join } from "node:path";
import { closeToOthers } from "../files/private-files.ts";
import { DAY, MINUTE, SECOND } from "../time.ts";

/** What stays, in the order of their last use. A rule that is not set holds nothing back. */
export type Limits = {
  /** So many stay, whatever their age, up to the other limits. */
  readonly keepFiles: number;
  /** Beyond `keepFiles`, what was used so recently stays. */
  readonly usedWithinMs: number;
  /** Beyond these nothing stays. */
  readonly maxFiles: number;
  readonly maxBytes: number;
};

const GIGABYTE = 1024 ** 3;

/** Processes mark the file they write to as used, so often. */
const MARK_EVERY_MS = 20 * SECOND;
/** Of files of one name: those of former processes, and of others that run. A file that is not marked is in no use. */
export const LIMITS_OF_NAME: Limits = {
  keepFiles: 10,
  usedWithinMs: 2 * MINUTE,
  maxFiles: 100,
  maxBytes: GIGABYTE,
};
/** Of files of any name. Containers have new names after each start, so such files accumulate. */
export const LIMITS_OF_FOLDER: Limits = {
  keepFiles: 0,
  usedWithinMs: 14 * DAY,
  maxFiles: 500,
  maxBytes: 5 * GIGABYTE,
};

/**
 * Removes what is beyond the limits; `now` by the clock of the files. Files that are in use were marked last, so the
 * limits reach them only when more than `maxFiles` are in use. Of files of the same age the first ones stay.
 */
export function removeSurplus(paths: readonly string[], limits: Limits, now: number): void {
  const files = paths.flatMap((path) => {
    const found = attempt(() => lstatSync(path, { throwIfNoEntry: false }));
    return found?.isFile() ? [{ path, usedAt: found.mtimeMs, bytes: found.size }] : [];
  });
  files.sort((a, b) => b.usedAt - a.usedAt);
  let kept = 0;
  let bytes = 0;
  for (const file of files) {
    const isWanted = kept < limits.keepFiles || now - file.usedAt <= limits.usedWithinMs;
    if (isWanted && kept < limits.maxFiles && bytes + file.bytes <= limits.maxBytes) {
      kept++;
      bytes += file.bytes;
    } else attempt(() => rmSync(file.path, { force: true }));
  }
}

/**
 * Removes log files of any process that are old, or too many, and closes the others to other users: former versions
 * left that to the umask. A missing folder is no error.
 */
export function removeOldLogFiles(directory: string, now: number, limits = LIMITS_OF_FOLDER): void {
  const names = attempt(() => readdirSync(directory)) ?? [];
  const paths = names.filter((name) => /\.\d+\.log$/.test(name)).map((name) => join(directory, name));
  removeSurplus(paths, limits, now);
  for (const path of paths) closeToOthers(path);
}

/** Marks the file that `path` returns as used until the process ends, so that a quiet process keeps its file. */
export function keepMarking(path: () => string | null, everyMs = MARK_EVERY_MS): void {
  setInterval(() => {
    const current = path();
    const now = new Date();
    // Removed, moved away, or on a disk that fails: the next line finds out.
    if (current !== null) utimes(current, now, now).catch(() => {});
  }, everyMs).unref();
}

/** Neither the removal of a file nor what hinders it may keep a process from starting. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
