/** The log is no dependency of serving: a full, removed or unusable LOG_DIR, and processes that share one. */
import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { ChildError } from "../../scripts/services/child.ts";
import type { ApiClient, Json } from "../support/api-client.ts";
import { createFillableFolder, type FillableFolder } from "../support/fillable-folder.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { type ProcessOutput, recordProcessOutput } from "../support/process-output.ts";
import { settledWithin, waitFor } from "../support/wait-for.ts";

const DROPPED = "log lines cannot be written and are dropped";
const WRITTEN_AGAIN = "log lines are written again; some were dropped";
const START_FAILS_WITHIN_MS = 10_000;

let folder: FillableFolder;
let output: ProcessOutput;
let platform: TestPlatform;
beforeAll(async () => {
  folder = createFillableFolder();
  output = recordProcessOutput();
  platform = await startTestPlatform({ env: { LOG_DIR: folder.path } });
});
afterAll(async () => {
  await platform.stop();
  output.stop();
  folder.remove();
});

const parse = (text: string): Json[] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("{") && line.endsWith("}"))
    .map((line) => JSON.parse(line));

const fileLines = (path = folder.path): Json[] =>
  readdirSync(path).flatMap((file) => parse(readFileSync(join(path, file), "utf8")));

/** What the process has said on its terminal since `from`, with this text. */
const said = (name: string, text: string, from = 0): Json[] =>
  parse(output.text().slice(from)).filter((line) => line.process === name && line.msg === text);

const bothSaid = (text: string, from: number) =>
  waitFor(text, () => ["api-1", "worker-1"].every((name) => said(name, text, from).length > 0));

async function chatIsServed(alice: ApiClient): Promise<string> {
  const requestId = `log-${randomUUID()}`;
  const chat = await alice.chat({ message: "[[text=Served]] Hello" }, { "X-Request-Id": requestId });
  expect((await chat.all()).at(-1)).toMatchObject({ event: "done", data: { status: "completed" } });
  return requestId;
}

/** Chats until the condition is met: only lines that are written show that a log is back. */
async function chatUntil(what: string, isMet: () => boolean): Promise<void> {
  await waitFor(what, async () => {
    await chatIsServed(platform.alice);
    return isMet();
  });
}

test("API and worker serve while LOG_DIR is full, say what they drop, and log again when there is room", async () => {
  await chatIsServed(platform.alice);
  const from = output.text().length;
  folder.fill();
  await chatUntil("dropped lines", () => ["api-1", "worker-1"].every((name) => said(name, DROPPED, from).length > 0));
  for (let more = 0; more < 30; more++) await chatIsServed(platform.alice);
  for (const name of ["api-1", "worker-1"]) {
    const lines = said(name, DROPPED, from);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 40, log_dir: folder.path, dropped: expect.any(Number) });
    expect(lines[0]?.dropped).toBeGreaterThan(0);
  }

  folder.makeRoom();
  await bothSaid(WRITTEN_AGAIN, from);
  for (const name of ["api-1", "worker-1"]) {
    const [line] = said(name, WRITTEN_AGAIN, from);
    // Lines of the last second may have waited until there was room.
    expect(line?.dropped).toBeGreaterThanOrEqual(said(name, DROPPED, from)[0]?.dropped);
    const inFile = fileLines().filter(({ process, msg }) => process === name && msg === WRITTEN_AGAIN);
    expect(inFile.map(({ dropped }) => dropped)).toEqual([line?.dropped]);
  }
  const requestId = await chatIsServed(platform.alice);
  await waitFor("new lines", () => fileLines().filter((line) => line.request_id === requestId).length >= 2);
  for (const file of readdirSync(folder.path)) {
    const lines = readFileSync(join(folder.path, file), "utf8").split("\n");
    for (const line of lines.slice(0, -1)) expect(() => JSON.parse(line)).not.toThrow();
  }
});

test("API and worker start and stop while LOG_DIR is full", async () => {
  folder.fill();
  try {
    const env = { LOG_DIR: folder.fullFromStart };
    const api = await platform.startApi(env);
    const worker = await platform.startWorker(env);
    await chatIsServed(api.alice);
    const exits = await Promise.all([api.stop(10_000), worker.stop(10_000)]);
    expect(exits.map(({ code }) => code)).toEqual([0, 0]);
    for (const name of ["api-2", "worker-2"]) {
      expect(output.text()).toContain(`${name}: stopped by SIGTERM; exit code 0`);
    }
  } finally {
    folder.makeRoom();
  }
});

test("a LOG_DIR that is removed while processes run is made again for the next lines", async () => {
  const path = join(tmpdir(), `agent-paas-removed-${randomUUID()}`);
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  const api = await platform.startApi({ LOG_DIR: path });
  const before = await chatIsServed(api.alice);
  await waitFor("the first lines", () => fileLines(path).some((line) => line.request_id === before));
  rmSync(path, { recursive: true });
  const after = await chatIsServed(api.alice);
  await waitFor("the next lines", () => existsSync(path) && fileLines(path).some((line) => line.request_id === after));
});

test.each([
  ["is a file", (path: string) => path],
  ["lies below a file", (path: string) => join(path, "logs")],
])("a LOG_DIR that %s is one clear error at the start of both roles", async (_name, logDirOf) => {
  const file = join(tmpdir(), `agent-paas-file-${randomUUID()}`);
  writeFileSync(file, "");
  onTestFinished(() => rmSync(file));
  const env = { LOG_DIR: logDirOf(file) };
  for (const start of [platform.startApi, platform.startWorker]) {
    const ended = start(env)
      .then(() => null)
      .catch((thrown: unknown) => thrown);
    const error = await settledWithin("the refusal", START_FAILS_WITHIN_MS, ended);
    expect(error).toBeInstanceOf(ChildError);
    const { message, lastLines } = error as ChildError;
    expect(message).toContain("exit code 1");
    expect(lastLines).toEqual(["The configuration is not valid:", expect.stringContaining("LOG_DIR")]);
    expect(lastLines[1]).toContain(`${env.LOG_DIR} cannot be used as the folder of the log files`);
  }
});

test("two workers and two APIs without PROCESS_NAME write to log files of their own", async () => {
  const path = join(tmpdir(), `agent-paas-shared-${randomUUID()}`);
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  const env = { LOG_DIR: path, PROCESS_NAME: "" };
  const children = await Promise.all([
    platform.startWorker(env),
    platform.startWorker(env),
    platform.startApi(env),
    platform.startApi(env),
  ]);
  await waitFor("four writers", () => new Set(fileLines(path).map(({ pid }) => pid)).size === 4);
  const files = readdirSync(path);
  expect(files).toHaveLength(4);
  for (const file of files) {
    const pids = new Set(parse(readFileSync(join(path, file), "utf8")).map(({ pid }) => pid));
    expect({ file, pids: pids.size }).toEqual({ file, pids: 1 });
  }
  await Promise.all(children.map((child) => child.stop(10_000)));
});
