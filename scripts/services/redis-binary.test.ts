import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test, vi } from "vitest";
import { unpackDebianPackages } from "./debian-packages.ts";
import { cacheDirOf, locateRedis, REDIS_PACKAGES } from "./redis-binary.ts";
import { startRedis } from "./redis-server.ts";

const run = promisify(execFile);

async function temporaryDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "redis-test-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

/** A folder with links to everything in /usr/bin except a Redis or Valkey that this machine may have. */
async function pathWithoutRedis(dir: string): Promise<string> {
  const folder = join(dir, "bin");
  await mkdir(folder);
  const names = (await readdir("/usr/bin")).filter((name) => !/^(redis|valkey)-/.test(name));
  await Promise.all(names.map((name) => symlink(join("/usr/bin", name), join(folder, name))));
  return folder;
}

test("packages that apt has installed are unpacked all the same", async () => {
  const dir = await temporaryDir();
  await mkdir(join(dir, "lists/partial"), { recursive: true });
  const own = [`Dir::State::lists "${dir}/lists";`, `Dir::Cache "${dir}";`, 'APT::Sandbox::User "";'];
  await writeFile(join(dir, "apt.conf"), [...own, 'Debug::NoLocking "true";'].join("\n"));
  const env = { ...process.env, LC_ALL: "C", APT_CONFIG: join(dir, "apt.conf") };
  await run("apt-get", ["update"], { env });

  // What dpkg knows after an installation; nothing is missing where Redis is installed in truth.
  const { stdout: plan } = await run("apt-get", ["install", "--simulate", "--quiet", ...REDIS_PACKAGES], { env });
  const missing = [...plan.matchAll(/^Inst (\S+)/gm)].map(([, name = ""]) => name);
  const show = ["show", "--no-all-versions", ...missing];
  const { stdout: stanzas } = missing.length === 0 ? { stdout: "" } : await run("apt-cache", show, { env });
  const installed = stanzas.replace(/^Package: .*$/gm, "$&\nStatus: install ok installed");
  await writeFile(join(dir, "status"), `${await readFile("/var/lib/dpkg/status", "utf8")}\n${installed}`);
  await writeFile(join(dir, "apt.conf"), [...own, `Dir::State::status "${dir}/status";`].join("\n"));

  const into = join(dir, "unpacked");
  await unpackDebianPackages({ packages: REDIS_PACKAGES, into, env });
  expect((await stat(join(into, "usr/bin/redis-server"))).isFile()).toBe(true);
}, 300_000);

test("the distribution's packages are unpacked without system package lists, once for racing callers", async () => {
  const dir = await temporaryDir();
  // A system whose package lists are missing, as in a fresh container.
  await mkdir(join(dir, "no-lists/partial"), { recursive: true });
  await writeFile(join(dir, "apt.conf"), `Dir::State::lists "${dir}/no-lists";\n`);
  const env = { ...process.env, PATH: await pathWithoutRedis(dir), APT_CONFIG: join(dir, "apt.conf") };
  const cacheDir = join(dir, "cache");

  const found = await Promise.all([locateRedis({ env, cacheDir }), locateRedis({ env, cacheDir })]);
  expect(found[1]).toEqual(found[0]);
  expect(await readdir(cacheDir)).toHaveLength(1);
  // apt makes folders there, but no lists, whose names are made of addresses.
  expect((await readdir(join(dir, "no-lists"))).filter((name) => name.includes("_"))).toEqual([]);

  const onDownload = vi.fn();
  const binary = await locateRedis({ env, cacheDir, onDownload });
  expect(onDownload).not.toHaveBeenCalled();
  const server = await startRedis({ binary, dir: join(dir, "data") });
  await server.stop();
}, 300_000);

test("a server on the PATH is preferred, and a broken one is skipped", async () => {
  const dir = await temporaryDir();
  const cacheDir = await cacheDirOf(process.env, join(dir, "cache"));
  const { command, libraryPath } = await locateRedis({ env: process.env, cacheDir });
  const broken = join(dir, "broken");
  const good = join(dir, "good");
  await mkdir(broken);
  await mkdir(good);
  await writeFile(join(broken, "redis-server"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  const run = `#!/bin/sh\nLD_LIBRARY_PATH='${libraryPath ?? ""}' exec '${command}' "$@"\n`;
  await writeFile(join(good, "redis-server"), run, { mode: 0o755 });

  const binary = await locateRedis({ env: { PATH: `${broken}:${good}` }, cacheDir: join(dir, "none") });
  expect(binary).toMatchObject({ command: join(good, "redis-server"), libraryPath: undefined });
  expect(binary.description).toMatch(/^(Redis|Valkey) \d+\.\d+\.\d+ from the PATH$/);
  const server = await startRedis({ binary, dir: join(dir, "data") });
  await server.stop();
});

test("a user without a writable cache folder gets the fallback", async () => {
  const dir = await temporaryDir();
  await writeFile(join(dir, "file"), "");
  expect(await cacheDirOf({ HOME: dir }, "other")).toBe(join(dir, ".cache/agent-paas"));
  expect(await cacheDirOf({ HOME: join(dir, "file") }, "other")).toBe("other");
});

test("the error of a machine without any Redis names the ways to get one", async () => {
  const dir = await temporaryDir();
  // No apt-get on this PATH.
  const env = { PATH: dirname(process.execPath) };
  await expect(locateRedis({ env, cacheDir: join(dir, "cache") })).rejects.toThrow(/REDIS_URL=redis:/);
  expect(await readdir(join(dir, "cache"))).toEqual([]);
});
