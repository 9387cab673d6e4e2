import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { UsageError } from "../start/options.ts";
import { ROOT } from "../start/processes.ts";
import { newAgent } from "./write-agent.ts";

const run = promisify(execFile);

/** Outside the project, with packages of its own. */
async function newFolder(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), "new-agent-"));
  onTestFinished(() => rm(parent, { recursive: true }));
  return join(parent, "agents");
}

test("a new agent has its own names, fits the types, and its test passes", async () => {
  const folder = await newFolder();
  await cp(join(ROOT, "node_modules/zod"), join(folder, "node_modules/zod"), { recursive: true });
  const told = await newAgent({ id: "order_desk-2", folder, root: ROOT });
  const written = (await readdir(folder)).filter((name) => name !== "node_modules").sort();
  expect(written).toEqual(["order-desk-2.test.ts", "order-desk-2.ts", "package.json", "tsconfig.json"]);
  const agent = await readFile(join(folder, "order-desk-2.ts"), "utf8");
  expect(agent).toContain('registerAgent("order_desk-2")(OrderDesk2);');
  expect(told).toContain(`AGENTS_DIR=${folder} npx vitest run --project agents`);
  for (const name of written) {
    expect(await readFile(join(folder, name), "utf8")).not.toMatch(/my[_-]?agent/i);
  }
  await run(join(ROOT, "node_modules/.bin/tsc"), ["-p", folder]);
  const env = { ...process.env, AGENTS_DIR: folder, VITEST: undefined, NO_COLOR: "1" };
  const args = ["run", "--project", "agents"];
  const { stdout } = await run(join(ROOT, "node_modules/.bin/vitest"), args, { cwd: ROOT, env });
  expect(stdout).toMatch(/Tests +2 passed \(2\)/);
});

test("a bad name and a name that is taken are refused, and nothing is written", async () => {
  const folder = await newFolder();
  for (const id of ["Order", "2nd", "", "a b", "../x"]) {
    await expect(newAgent({ id, folder, root: ROOT })).rejects.toThrow(UsageError);
  }
  await mkdir(folder);
  await writeFile(join(folder, "desk.test.ts"), "mine");
  await expect(newAgent({ id: "desk", folder, root: ROOT })).rejects.toThrow("desk.test.ts exists already");
  expect(await readdir(folder)).toEqual(["desk.test.ts"]);
});
