/**
 * Which file a handle has open, and whether its path still names it. A file that was moved away, deleted or replaced
 * stays open and takes writes that nobody will ever read.
 */
import { statSync } from "node:fs";

export type FileId = { readonly device: bigint; readonly inode: bigint };

/** Null: there is no such file. One system call of a few microseconds. */
export function fileIdOf(file: string): FileId | null {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : { device: found.dev, inode: found.ino };
}

/** Why the path does not name the opened file any more, as a sentence for operators; null while it does. */
export function displacementOf(file: string, opened: FileId): string | null {
  const found = fileIdOf(file);
  if (found === null) return `The database file ${file} was moved away or deleted while it was open.`;
  if (found.device === opened.device && found.inode === opened.inode) return null;
  return `The database file ${file} was replaced while it was open.`;
}
