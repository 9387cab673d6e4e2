/** A small disk of its own for one test, to be filled up. A tmpfs mount, so the test must run as root on Linux. */
import { execFile } from "node:child_process";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";

const run = promisify(execFile);
const CHUNK_BYTES = 4_096;

export const canMount = process.platform === "linux" && process.getuid?.() === 0;

export type SmallDisk = { readonly dir: string; fill(): Promise<void>; free(): Promise<void> };

export async function mountSmallDisk(megabytes: number): Promise<SmallDisk> {
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-disk-"));
  await run("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "agent-paas-test", dir]);
  onTestFinished(async () => {
    // Lazy: a process that the test has killed may hold a file for a moment longer.
    await run("umount", ["--lazy", dir]);
    await rm(dir, { recursive: true });
  });
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
  };
}
