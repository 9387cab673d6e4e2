import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test, vi } from "vitest";
import { ChildError, type ChildSpec, spawnChild } from "./child.ts";

const READY = 'process.send("ready");';
const LINGER = "setInterval(() => {}, 1e6);";
const IGNORE_SIGTERM = 'process.on("SIGTERM", () => {});';

function spawnScript(code: string, more: Partial<ChildSpec> = {}) {
  const child = spawnChild({
    name: "script",
    command: process.execPath,
    args: ["-e", code],
    env: {},
    ready: "message",
    ...more,
  });
  onTestFinished(async () => void (await child.kill()));
  return child;
}

/** A zombie counts as ended: in a container without an init process nothing reaps it. */
function runs(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

test("a child is ready when it sends its message, and SIGTERM stops it", async () => {
  const child = spawnScript(READY + LINGER);
  await child.ready(10_000);
  expect(await child.stop(10_000)).toEqual({ code: null, signal: "SIGTERM" });
  expect(runs(child.pid)).toBe(false);
});

test("a child is ready when its probe resolves to true", async () => {
  const ready = vi.fn(async () => ready.mock.calls.length > 2);
  await spawnScript(LINGER, { ready }).ready(10_000);
  expect(ready).toHaveBeenCalledTimes(3);
});

test("a child that ends before it is ready is an error that carries its last lines without colours", async () => {
  const child = spawnScript('console.log("one"); console.error("\\x1b[31mtwo\\x1b[0m"); process.exitCode = 3;');
  const error = await child.ready(10_000).catch((reason: unknown) => reason);
  if (!(error instanceof ChildError)) throw new Error("expected a ChildError", { cause: error });
  expect(error.message).toMatch(/^script\b.*\b3\b/);
  expect(error.lastLines.toSorted()).toEqual(["one", "two"]);
});

test("a child that does not become ready in time is an error and is killed", async () => {
  const child = spawnScript(LINGER);
  await expect(child.ready(50)).rejects.toMatchObject({
    ...{ name: "ChildError", message: expect.stringMatching(/^script\b.*\b0\.05 s$/) },
  });
  expect(runs(child.pid)).toBe(false);
});

test("a command that does not exist is an error", async () => {
  const child = spawnScript("", { command: "/no/such/command" });
  await expect(child.ready(10_000)).rejects.toMatchObject({
    name: "ChildError",
    lastLines: [expect.stringContaining("ENOENT")],
  });
});

test("a child that ignores SIGTERM is killed when the time is up, together with the processes it started", async () => {
  const lines: string[] = [];
  const code = `
    const { spawn } = require("node:child_process");
    console.log(spawn("sleep", ["1000"], { stdio: "ignore" }).pid);
    ${IGNORE_SIGTERM}${READY}`;
  const child = spawnScript(code, { onLine: (line) => lines.push(line), env: { PATH: process.env.PATH } });
  await child.ready(10_000);
  await vi.waitFor(() => expect(lines).toHaveLength(1));
  const grandchild = Number(lines[0]);
  expect(runs(grandchild)).toBe(true);
  expect(await child.stop(50)).toEqual({ code: null, signal: "SIGKILL" });
  await vi.waitFor(() => expect(runs(grandchild)).toBe(false));
});

test("a child reads its input from standard input", async () => {
  const lines: string[] = [];
  const child = spawnScript("process.stdin.pipe(process.stdout)", {
    ready: async () => lines.length > 0,
    input: "secret\n",
    onLine: (line) => lines.push(line),
  });
  await child.exited;
  expect(lines).toEqual(["secret"]);
});

test("a child does not outlive a parent that is killed", async () => {
  const parentCode = `
    import { spawnChild } from ${JSON.stringify(import.meta.resolve("./child.ts"))};
    const spec = { name: "c", command: process.execPath, args: ["-e", ${JSON.stringify(LINGER)}], env: {} };
    console.log(spawnChild({ ...spec, ready: async () => true }).pid);
  `;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", parentCode], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void parent.kill("SIGKILL"));
  const [line] = (await once(createInterface({ input: parent.stdout }), "line")) as [string];
  expect(runs(Number(line))).toBe(true);
  parent.kill("SIGKILL");
  await vi.waitFor(() => expect(runs(Number(line))).toBe(false), { timeout: 5_000 });
});
