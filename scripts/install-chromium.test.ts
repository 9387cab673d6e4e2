/** scripts/install-chromium.sh on systems whose programs are written down here. */
import { execFile } from "node:child_process";
import { access, chmod, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ROOT } from "./start/processes.ts";

const BASH = "/bin/bash";
const RUNS = "exit 0";
const SNAP = "echo requires the snap; exit 1";
const SUDO = 'shift; "$@"';
/** Has the first two calls find the lock taken; `install` makes a Chromium. */
const APT = `
  echo x >> "$0.calls"
  if [ "$(grep -c x "$0.calls")" -le 2 ]; then echo "E: Could not get lock /var/lib/apt/lists/lock" >&2; exit 100; fi
  if [ "$1" = update ]; then echo "E: Failed to fetch" >&2; exit 100; fi
  printf '#!${BASH}\\nexit 0\\n' > "\${0%/*}/chromium" && chmod +x "\${0%/*}/chromium"`;

/** What the script answers where only these programs are, beside those of every system. */
async function install(programs: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "agent-paas-install-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const name of ["timeout", "env", "grep", "chmod"]) await symlink(await placeOf(name), join(folder, name));
  for (const [name, body] of Object.entries({ id: "echo 1000", sleep: RUNS, ...programs })) {
    await writeFile(join(folder, name), `#!${BASH}\n${body}\n`);
    await chmod(join(folder, name), 0o755);
  }
  return new Promise<{ readonly code: unknown; readonly stderr: string }>((resolve) => {
    const script = join(ROOT, "scripts/install-chromium.sh");
    execFile(BASH, [script], { env: { PATH: folder, ...env }, timeout: 60_000 }, (error, _stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stderr }),
    );
  });
}

async function placeOf(program: string): Promise<string> {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const file = join(folder, program);
    const isThere = await access(file).then(
      () => true,
      () => false,
    );
    if (isThere) return file;
  }
  throw new Error(`there is no ${program}`);
}

test.each([
  ["Chromium", { chromium: RUNS }, {}],
  ["Chrome beside a mere launcher of a snap", { "chromium-browser": SNAP, "google-chrome": RUNS }, {}],
  ["the program that CHROMIUM_PATH names", { mine: RUNS }, { CHROMIUM_PATH: "mine" }],
])("where %s runs, nothing is installed", async (_what, programs, env) => {
  expect(await install(programs, env)).toEqual({ code: 0, stderr: "" });
});

test("a lock is waited for, and a source that fails does not end it", async () => {
  const { code, stderr } = await install({ "apt-get": APT, sudo: SUDO });
  expect([code, stderr]).toEqual([0, expect.stringContaining("apt-get update failed")]);
});

test.each([
  ["CHROMIUM_PATH does not run", { chromium: RUNS }, { CHROMIUM_PATH: "/none" }, "CHROMIUM_PATH is no Chromium"],
  ["there is no apt", { chromium: SNAP }, {}, "there is no apt-get"],
  ["the user may not install", { "apt-get": RUNS }, {}, "needs root or a sudo"],
  ["apt cannot install it", { "apt-get": "echo E: broken >&2; exit 100", sudo: SUDO }, {}, "E: broken"],
  [
    "apt only has a mere launcher of a snap",
    { "apt-get": RUNS, sudo: SUDO, chromium: SNAP },
    {},
    "only stands for a snap",
  ],
])("where %s, the script fails and says so", async (_what, programs, env, reason) => {
  expect(await install(programs, env)).toEqual({ code: 1, stderr: expect.stringContaining(reason) });
});
