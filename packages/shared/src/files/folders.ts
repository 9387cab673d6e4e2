/** Makes folders at paths that operators configure, and says in words why one cannot be used. */
import { accessSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { PRIVATE_FOLDER_MODE } from "./private-files.ts";

/**
 * Makes a folder and those above it, readable by their owner alone. Node's own recursive `mkdir` never returns where
 * folders cannot be made at all, such as below /proc; this throws.
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  try {
    mkdirSync(path, PRIVATE_FOLDER_MODE);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

/** Errors that pass: a full or failing disk, too many open files. They say nothing about the path. */
const PASSING: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT", "EIO", "EMFILE", "ENFILE"]);

/** Makes the folder if it is missing. Returns why files can never be made in it; null if they can. */
export function folderProblem(path: string): string | null {
  try {
    makeFolder(path);
    if (!statSync(path).isDirectory()) return IS_A_FILE;
    accessSync(path, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    const code = codeOf(error);
    if (PASSING.has(code)) return null;
    if (code === "EEXIST" || code === "ENOTDIR") return IS_A_FILE;
    return error instanceof Error ? error.message : String(error);
  }
}

const IS_A_FILE = "it, or a part of its path, is a file";

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
