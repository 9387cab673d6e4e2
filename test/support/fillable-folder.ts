/**
 * A folder in which writing can be made to fail, for real: a small file system that is filled. Where the test may not
 * mount one, a file takes the place of the folder.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type FillableFolder = {
  /** Does not exist yet. */
  readonly path: string;
  /** Passes the check of a process that starts, but takes no file. With `fill`, also `path` itself. */
  readonly fullFromStart: string;
  /** From now on nothing can be written. */
  fill(): void;
  makeRoom(): void;
  remove(): void;
};

export function createFillableFolder(megabytes = 1): FillableFolder {
  const base = mkdtempSync(join(tmpdir(), "agent-paas-fillable-"));
  const path = join(base, "logs");
  const removeBase = () => rmSync(base, { recursive: true, force: true });
  if (!mountSmallDisk(base, megabytes)) {
    const aside = join(base, "aside");
    return {
      path,
      fullFromStart: tooLongForFiles(base),
      fill() {
        try {
          renameSync(path, aside);
        } catch {
          // Nothing was written yet.
        }
        writeFileSync(path, "");
      },
      makeRoom() {
        rmSync(path);
        try {
          renameSync(aside, path);
        } catch {
          // There was nothing.
        }
      },
      remove: removeBase,
    };
  }
  const filler = join(base, "filler");
  return {
    path,
    fullFromStart: path,
    fill() {
      try {
        writeFileSync(filler, Buffer.alloc((megabytes + 1) * 1024 * 1024));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOSPC") return;
        throw error;
      }
      throw new Error("the small disk takes more than it should");
    },
    makeRoom: () => rmSync(filler),
    remove() {
      execFileSync("umount", ["--lazy", base]);
      removeBase();
    },
  };
}

/** A folder whose path is as long as paths may be, so that those of its files are too long. */
function tooLongForFiles(base: string): string {
  const longest = process.platform === "darwin" ? 1_024 : 4_096;
  let path = base;
  while (path.length < longest - 4) path = join(path, "d".repeat(Math.min(200, longest - 4 - path.length)));
  mkdirSync(path, { recursive: true });
  return path;
}

function mountSmallDisk(folder: string, megabytes: number): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
