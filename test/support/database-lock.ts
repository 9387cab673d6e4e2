/** Another process that holds a lock on a database file. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { ROOT } from "./sources.ts";

const HOLD = `
const db = require("better-sqlite3")(process.argv[1], { timeout: 10_000 });
db.exec("begin " + process.argv[2]);
process.stdout.write("held");
process.stdin.once("data", () => { db.exec("commit"); process.exit(0); });
`;

/** Resolves when the lock is held, until the test has ended at the latest. Returns what releases it. */
export async function holdDatabase(file: string, mode: "immediate" | "exclusive"): Promise<() => Promise<void>> {
  const { onTestFinished } = await import("vitest");
  const lock = await lockDatabase(file, mode);
  onTestFinished(lock.kill);
  return lock.release;
}

/** For chaos runs, which use this file without Vitest: the caller must release or kill the holder. */
export async function lockDatabase(file: string, mode: "immediate" | "exclusive") {
  const holder = spawn(process.execPath, ["-e", HOLD, file, mode], { cwd: ROOT, stdio: ["pipe", "pipe", "inherit"] });
  await once(holder.stdout, "data");
  return {
    async release(): Promise<void> {
      const ended = once(holder, "exit");
      holder.stdin.write("release");
      await ended;
    },
    kill: () => void holder.kill(),
  };
}
