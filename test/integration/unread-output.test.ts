/** A terminal, pipe or socket that nobody reads (Ctrl-S, a stopped pager, a stuck log driver) holds up no exit. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { waitFor } from "../support/wait-for.ts";

const FIXTURES = join(import.meta.dirname, "../fixtures/unread-output");
/** The processes of all these tests start at once. */
const FULL_WITHIN_MS = 45_000;
/** What the process may take for its exit, on a busy machine. */
const EXITS_WITHIN_SECONDS = 10;

type End = { readonly code: number; readonly seconds: number };

/** Run at the end of the file: these tests run at once, and one that ends must not touch what the others use. */
const cleanups: (() => void)[] = [];
afterAll(() => {
  for (const cleanUp of cleanups) cleanUp();
});

function createDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "agent-paas-unread-"));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Starts the command on an output that nobody reads, waits until that is full, signals, and returns how it ended. */
async function endOnUnread(output: string, args: readonly string[], signal: NodeJS.Signals, fd = 1): Promise<End> {
  const [program = "", ...rest] = args;
  const command = [process.execPath, join(FIXTURES, program), ...rest];
  const launcher = spawn("python3", [join(FIXTURES, "launch.py"), output, String(fd), ...command], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  cleanups.unshift(() => killWithDescendants(launcher));
  let said = "";
  launcher.stdout.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  await waitFor("a full output", () => said.includes("full"), FULL_WITHIN_MS);
  launcher.kill(signal);
  const found = await waitFor("the exit", () => /exit (-?\d+) ([\d.]+)/.exec(said), EXITS_WITHIN_SECONDS * 1_000);
  return { code: Number(found[1]), seconds: Number(found[2]) };
}

/** The command leads a session of its own, so the launcher's group does not hold it. */
function killWithDescendants(launcher: ChildProcess): void {
  if (launcher.exitCode !== null || launcher.pid === undefined) return;
  const children = spawnSync("ps", ["-o", "pid=", "--ppid", String(launcher.pid)], { encoding: "utf8" }).stdout;
  for (const pid of children.split(/\s+/).filter(Boolean)) process.kill(Number(pid), "SIGKILL");
  launcher.kill("SIGKILL");
}

const outputs = ["pipe", "pty", "socket"] as const;
const table = outputs.flatMap((output) =>
  (["touched", "untouched"] as const).flatMap((use) =>
    (["SIGTERM", "SIGUSR2"] as const).map((signal) => ({ output, use, signal })),
  ),
);

describe("an output that nobody reads", { concurrent: true }, () => {
  test.each(table)(
    "a process whose $output is not read ($use by Node) ends at $signal",
    async ({ output, use, signal }) => {
      const end = await endOnUnread(output, ["process.ts", createDirectory(), use], signal);
      expect(end.code).toBe(0);
    },
  );

  test.each(
    outputs.flatMap((output) =>
      [
        { what: "the last word and other words on standard error", fd: 2, wants: "say", signal: "SIGTERM" },
        { what: "warnings of Node", fd: 2, wants: "warning", signal: "SIGTERM" },
        { what: "what code of others prints", fd: 1, wants: "console", signal: "SIGTERM" },
        { what: "what an uncaught error says", fd: 1, wants: "throw", signal: "SIGUSR2" },
      ].map((given) => ({ output, ...given })),
    ),
  )("$what on an unread $output holds up no exit", async ({ output, fd, wants, signal }) => {
    const end = await endOnUnread(output, ["process.ts", "off", wants], signal as NodeJS.Signals, fd);
    expect(end.code).toBe(wants === "throw" ? 1 : 0);
  });

  test.each(outputs)("the supervisor of npm start ends on an unread %s", async (output) => {
    expect((await endOnUnread(output, ["supervisor.ts"], "SIGTERM")).code).toBe(0);
  });
});
