/** Another process that holds a lock on a database file. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import { ROOT } from "./sources.ts";

const HOLD = `
const db = require("better-sqlite3")(process.argv[1], { timeout: 10_000 });
db.exec("begin " + process.argv[2]);
process.stdout.write("held");
process.stdin.once("data", () => { db.exec("commit"); process.exit(0); });
`;

/** Resolves when the lock is held. Returns what releases it. */
export async function holdDatabase(file: string, mode: "immediate" | "exclusive"): Promise<() => Promise<void>> {
  const holder = spawn(process.execPath, ["-e", HOLD, file, mode], { cwd: ROOT, stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void holder.kill());
  await once(holder.stdout, "data");
  return async () => {
    const ended = once(holder, "exit");
    holder.stdin.write("release");
    await ended;
  };
}
