/** A small disk of its own, to be filled up. A tmpfs mount, so the process must run as root on Linux. */
import { execFile } from "node:child_process";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const CHUNK_BYTES = 4_096;

export const canMount = process.platform === "linux" && process.getuid?.() === 0;

export type SmallDisk = { readonly dir: string; fill(): Promise<void>; free(): Promise<void> };

/** Removed when the test has ended. Vitest is imported here, because chaos runs use this file without it. */
export async function mountSmallDisk(megabytes: number): Promise<SmallDisk> {
  const { onTestFinished } = await import("vitest");
  const disk = await createSmallDisk(megabytes);
  onTestFinished(disk.remove);
  return disk;
}

/** The caller must remove it. */
export async function createSmallDisk(megabytes: number): Promise<SmallDisk & { remove(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-disk-"));
  await run("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "agent-paas-test", dir]);
  const filler = join(dir, "filler");
  return {
    dir,
    /** Writes until nothing more fits. */
    async fill() {
      const file = await open(filler, "a");
      try {
        for (;;) await file.write(Buffer.alloc(CHUNK_BYTES));
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
      } finally {
        await file.close();
      }
    },
    free: () => rm(filler, { force: true }),
    async remove() {
      // Lazy: a process that was killed may hold a file for a moment longer.
      await run("umount", ["--lazy", dir]);
      await rm(dir, { recursive: true });
    },
  };
}
