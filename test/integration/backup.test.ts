/** `npm run backup` under load: the copy is the whole state of one moment, and a platform starts from it. */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../support/api-client.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const STOP_WITHIN_MS = 15_000;
const run = promisify(execFile);

let dir: string;
let platform: TestPlatform;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "agent-paas-backup-"));
  platform = await startTestPlatform({ workers: 2 });
});
afterAll(async () => {
  await platform.stop();
  await rm(dir, { recursive: true });
});

const backUp = (databaseFile: string, to: string, cwd = ROOT) =>
  run(process.execPath, [join(ROOT, "scripts/backup.ts"), "--to", to], {
    cwd,
    env: { PATH: process.env.PATH, DATABASE_URL: databaseFile },
  });

const failure = (running: Promise<unknown>): Promise<{ code: number; stderr: string }> =>
  running.then(
    () => Promise.reject(new Error("the backup did not fail")),
    (error) => error,
  );

/** `count` lines of chats, each sending one chat after the other until `stop` is called. */
function keepChatting(count: number) {
  const stop = new AbortController();
  const ended: Json[] = [];
  const chatting = Array.from({ length: count }, async (_, line) => {
    for (let turn = 0; !stop.signal.aborted; turn++) {
      const message = `[[text=${line}-${turn}]] Line ${line}, turn ${turn}`;
      ended.push((await platform.alice.chatWhole(message)).body);
    }
  });
  return {
    ended,
    stop: async () => {
      stop.abort();
      await Promise.all(chatting);
    },
  };
}

test("a backup made under load can be restored as its output says", async () => {
  const { alice, databaseFile } = platform;
  const { body: kept } = await alice.chatWhole("[[text=Kept]] Before the backup");
  const read = (client: typeof alice) =>
    Promise.all([
      client.get(`/jobs/${kept.job_id}`),
      client.get(`/sessions/${kept.session_id}`),
      client.get(`/chat/history?session_id=${kept.session_id}`),
    ]).then((answers) => answers.map(({ status, body }) => ({ status, body })));
  const before = await read(alice);

  const load = keepChatting(8);
  const copies: string[] = [];
  let instructions = "";
  for (const name of ["first.db", "second.db", "third.db"]) {
    const started = load.ended.length;
    copies.push(join(dir, name));
    ({ stdout: instructions } = await backUp(databaseFile, join(dir, name)));
    expect(load.ended.length).toBeGreaterThan(started);
  }
  await load.stop();

  for (const copy of copies) {
    expect((await stat(copy)).mode & 0o777).toBe(0o600);
    expectWhole(copy);
  }
  expect((await readdir(dir)).sort()).toEqual(["first.db", "second.db", "third.db"]);

  // The commands that the backup printed, on the platform that has gone on since.
  await Promise.all([...platform.workers, ...platform.apis].map((part) => part.stop(STOP_WITHIN_MS)));
  await run("sh", ["-ec", instructions.match(/^ {2}(rm|cp) .*$/gm)?.join("\n") ?? "false"]);
  const [{ alice: restored }] = await Promise.all([platform.startApi(), platform.startWorker()]);
  expect(await read(restored)).toEqual(before);
  const { body: next } = await restored.chatWhole("[[text=Next]] After the restore", { session_id: kept.session_id });
  expect(await restored.ended(next.job_id)).toMatchObject({ status: "completed", result: { content: "Next" } });
  const messages = await restored.history(kept.session_id);
  expect(messages.map(({ content }) => content)).toEqual([
    "[[text=Kept]] Before the backup",
    "Kept",
    "[[text=Next]] After the restore",
    "Next",
  ]);
});

/** An ended job has its question and its answer; a running job has its question only. */
function expectWhole(copy: string): void {
  const database = new DatabaseSync(copy, { readOnly: true });
  const jobs = database
    .prepare(
      `SELECT status, json_extract(result, '$.content') AS content,
         (SELECT count(*) FROM messages m WHERE m.job_id = j.id AND m.role = 'user') AS questions,
         (SELECT group_concat(content) FROM messages m WHERE m.job_id = j.id AND m.role = 'assistant') AS answer
       FROM agent_logs j`,
    )
    .all();
  database.close();
  expect(jobs.length).toBeGreaterThan(0);
  for (const { status, content, questions, answer } of jobs) {
    expect(questions).toBe(1);
    expect(answer).toBe(status === "completed" ? content : null);
  }
}

test("a backup overwrites no file, leaves no file when it fails, and names the file that is wrong", async () => {
  const taken = join(dir, "taken.db");
  await writeFile(taken, "mine");
  expect(await failure(backUp(platform.databaseFile, taken))).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(taken),
  });
  const nowhere = join(dir, "no-database.db");
  expect((await failure(backUp(nowhere, join(dir, "copy.db")))).stderr).toContain(nowhere);

  const ofServer = await failure(backUp("postgres://alice:sesame@db/agents", join(dir, "copy.db")));
  expect(ofServer.stderr).toMatch(/pg_dump .*copy\.db.*postgres:\/\/db:5432\/agents[\s\S]*pg_restore/);
  expect(ofServer.stderr).not.toContain("sesame");

  const broken = join(dir, "broken.db");
  await backUp(platform.databaseFile, broken);
  await chmod(broken, 0o600);
  const pages = await stat(broken);
  await writeFile(broken, Buffer.alloc(4_096 * 4, 7), { flag: "r+" });
  expect((await stat(broken)).size).toBe(pages.size);
  expect((await failure(backUp(broken, join(dir, "copy.db")))).code).toBe(1);
  expect((await readdir(dir)).filter((name) => /copy|part/.test(name))).toEqual([]);
});
