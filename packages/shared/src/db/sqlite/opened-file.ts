/**
 * Which file a handle has open, and whether its path still names it. A file that was moved away, deleted or replaced
 * stays open and takes writes that nobody will ever read.
 */
import { rmSync, statSync } from "node:fs";

export type FileId = { readonly device: bigint; readonly inode: bigint };

/** The write-ahead log and its index. SQLite finds them by the path of the database, whichever file that names. */
export type LogFiles = ReadonlyMap<string, FileId>;

/** Null: there is no such file. Throws for a path that cannot be read. One system call of a few microseconds. */
export function fileIdOf(file: string): FileId | null {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : { device: found.dev, inode: found.ino };
}

/**
 * Why the path does not name the opened file any more, as a sentence for operators; null while it does. A file that was
 * moved away and came back is displaced for those whose log another process removed meanwhile. A path that cannot be
 * read says nothing about the file; the next statement meets the fault.
 */
export function displacementOf(file: string, opened: FileId, logFiles: LogFiles): string | null {
  try {
    return compare(file, opened, logFiles);
  } catch {
    return null;
  }
}

function compare(file: string, opened: FileId, logFiles: LogFiles): string | null {
  const found = fileIdOf(file);
  if (found === null) return `The database file ${file} was moved away or deleted while it was open.`;
  if (!isSame(found, opened)) return `The database file ${file} was replaced while it was open.`;
  const log = logFiles.get(logOf(file));
  const foundLog = log === undefined ? null : fileIdOf(logOf(file));
  if (log === undefined || (foundLog !== null && isSame(foundLog, log))) return null;
  return `The write-ahead log of the database file ${file} was removed or replaced while it was open.`;
}

/** Those that are there now. Read while the path still names the opened file: then they belong to it. */
export function logFilesOf(file: string): LogFiles {
  try {
    return existingLogFiles(file);
  } catch {
    return new Map();
  }
}

function existingLogFiles(file: string): LogFiles {
  const entries = [logOf(file), `${file}-shm`].map((path) => [path, fileIdOf(path)] as const);
  return new Map(entries.flatMap(([path, id]) => (id === null ? [] : [[path, id]])));
}

/**
 * Removes the names of a former file's log, lest the file that has taken its path be read with it. Whoever has the
 * former file open keeps its log open as well. Log files that the new one has made meanwhile stay.
 */
export function removeLogFiles(file: string, former: LogFiles): void {
  try {
    const log = former.get(logOf(file));
    const found = fileIdOf(logOf(file));
    // The index at the path belongs to whatever log is there.
    if (log === undefined || found === null || !isSame(found, log)) return;
    for (const path of former.keys()) rmSync(path, { force: true });
  } catch {
    // An API may not be allowed to; the workers do the same.
  }
}

const logOf = (file: string): string => `${file}-wal`;

const isSame = (one: FileId, other: FileId): boolean => one.device === other.device && one.inode === other.inode;
