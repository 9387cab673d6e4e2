/**
 * The log files of one process. A process writes only to files that it has created itself, so processes of the same
 * name on one machine never share a file, and none rolls what another writes to. Files that are removed, or moved away,
 * are replaced by a new one at the next line.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readdirSync, rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../config/read-config.ts";
import { isErrno, toError } from "../errors/errno.ts";
import { folderProblem, makeFolder } from "../files/folders.ts";
import { PRIVATE_FILE_MODE } from "../files/private-files.ts";
import { writeNow } from "../standard-output.ts";
import { type Chunk, type LogOutput, writeChunk } from "./log-output.ts";
import { keepMarking, LIMITS_OF_NAME, removeSurplus } from "./log-retention.ts";

/** A file is rolled at this size. */
const MAX_FILE_BYTES = 10 * 1024 * 1024;
/** The current file of a process and four older ones of it stay. */
const KEEP_FILES = 5;
/** Processes of one name that start together compete for numbers. */
const MAX_NUMBERS_TRIED = 1_000;

type OpenFile = { readonly fd: number; readonly path: string; readonly ino: number; readonly dev: number };

/**
 * Throws a `ConfigError` for a folder that can never take files: one that is a file, that cannot be made, or that is
 * not writable. A full or failing disk is no such case: it passes.
 */
export function assertLogDirectory(directory: string): void {
  const problem = folderProblem(directory);
  if (problem === null) return;
  throw new ConfigError([`LOG_DIR: ${directory} cannot be used as the folder of the log files: ${problem}`]);
}

function tryToRemove(path: string | undefined): void {
  try {
    if (path !== undefined) rmSync(path, { force: true });
  } catch {
    // A file that cannot be removed stays.
  }
}

/** Creates the first file when the first line is written. */
export function openLogFiles(directory: string, name: string, markEveryMs?: number): LogOutput {
  const created: string[] = [];
  let current: OpenFile | null = null;
  let size = 0;

  const pathOf = (number: number) => join(directory, `${name}.${number}.log`);

  /** The numbers of all files of this name, ascending. */
  function numbers(): number[] {
    const found = readdirSync(directory).flatMap((file) => {
      if (!file.startsWith(`${name}.`)) return [];
      const number = /^(\d{1,12})\.log$/.exec(file.slice(name.length + 1))?.[1];
      return number === undefined ? [] : [Number(number)];
    });
    return found.sort((a, b) => a - b);
  }

  /** Rare, and also needed by a process that exits: therefore synchronous. */
  function createNext(): OpenFile {
    makeFolder(directory);
    const existing = numbers();
    const first = (existing.at(-1) ?? 0) + 1;
    for (let number = first; ; number++) {
      const path = pathOf(number);
      try {
        const fd = openSync(path, "ax", PRIVATE_FILE_MODE);
        const { ino, dev, mtimeMs } = fstatSync(fd);
        if (created.length === 0) {
          removeSurplus(existing.toReversed().map(pathOf), LIMITS_OF_NAME, mtimeMs);
          keepMarking(() => current?.path ?? null, markEveryMs);
        }
        created.push(path);
        while (created.length > KEEP_FILES) tryToRemove(created.shift());
        return { fd, path, ino, dev };
      } catch (error) {
        if (!isErrno(error, "EEXIST") || number - first > MAX_NUMBERS_TRIED) throw error;
      }
    }
  }

  /** The file to append to. Another one than before if that one is full, or is no longer where it was created. */
  async function fileToAppend(): Promise<OpenFile> {
    if (current !== null) {
      const found = await stat(current.path).catch(() => null);
      if (found?.ino === current?.ino && found?.dev === current?.dev && size < MAX_FILE_BYTES) return current;
      closeSync(current.fd);
      current = null;
    }
    return openNext();
  }

  function openNext(): OpenFile {
    current = createNext();
    size = 0;
    return current;
  }

  /** Removes the half line that a full disk leaves, so that every line of the file is whole. Returns what is kept. */
  function cutHalfLine(fd: number, bytes: Buffer, written: number): number {
    const kept = written === 0 ? 0 : bytes.lastIndexOf("\n", written - 1) + 1;
    if (kept === written) return written;
    try {
      if (fstatSync(fd).size !== size + written) return written;
      ftruncateSync(fd, size + kept);
      return kept;
    } catch {
      return written;
    }
  }

  return {
    async append(chunk: Chunk) {
      try {
        const { fd } = await fileToAppend();
        const error = await writeChunk(() => fd, chunk);
        if (error !== null) chunk.written = cutHalfLine(fd, chunk.bytes, chunk.written);
        size += chunk.written;
        return error;
      } catch (error) {
        return toError(error);
      }
    },
    appendSync(bytes) {
      try {
        const { fd } = current ?? openNext();
        const { written, error } = writeNow(fd, bytes);
        size += error === null ? written : cutHalfLine(fd, bytes, written);
        return error;
      } catch (error) {
        return toError(error);
      }
    },
  };
}
