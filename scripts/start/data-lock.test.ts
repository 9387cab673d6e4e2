import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { lockDataDir } from "./data-lock.ts";

test("the data folder's lock is held by one process at a time, and a crash releases it", async () => {
  const dir = await mkdtemp(join(tmpdir(), "lock-test-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  const code = `
    import { lockDataDir } from ${JSON.stringify(import.meta.resolve("./data-lock.ts"))};
    globalThis.lock = lockDataDir(${JSON.stringify(dir)});
    process.send(globalThis.lock ? "held" : "refused");
    setInterval(() => {}, 1e6);`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", code], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  onTestFinished(() => void holder.kill("SIGKILL"));
  const [answer] = await once(holder, "message");
  expect(answer).toBe("held");
  expect(lockDataDir(dir)).toBeUndefined();

  holder.kill("SIGKILL");
  await once(holder, "exit");
  const lock = lockDataDir(dir);
  expect(lock).toBeDefined();
  lock?.[Symbol.dispose]();
});
