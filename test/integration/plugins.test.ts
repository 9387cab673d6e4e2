/** Plugins as Node itself loads them, working and broken: what is reported, what stays registered, what goes on. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { startTestPlatform } from "../support/platform.ts";
import { ROOT } from "../support/sources.ts";
import { waitFor } from "../support/wait-for.ts";

/** A plugin that registers an agent in its lines 3 to 7. */
const agent = (id: string) => `import { BaseAgent, registerAgent, text } from "@agent-paas/agents";
import { z } from "zod";
class Agent extends BaseAgent {
  static description: string = "An agent of a test.";
  static config = z.strictObject({});
  async *run() { yield text("I am ${id}"); }
} registerAgent("${id}")(Agent);
`;

const tool = (name: string) => `import { defineTool, registerTool } from "@agent-paas/agents";
import { z } from "zod";
registerTool(defineTool({ name: "${name}", description: "A tool.", parameters: z.strictObject({}), idempotent: true,
  call: () => 1 }));
`;

/** A folder whose modules find the platform's packages. URLs have to escape its name. */
async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), "agent-paas-plugins-"));
  onTestFinished(() => rm(parent, { recursive: true }));
  await symlink(join(ROOT, "node_modules"), join(parent, "node_modules"));
  await writeFile(join(parent, "package.json"), '{"type":"module"}');
  const folder = join(parent, "my 智能体");
  for (const [name, source] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), source);
  }
  return folder;
}

/** A program that loads a folder beside the built-in agents and prints the outcome when it has nothing left to do. */
const LOADER = `
import { registerBuiltInAgents } from "@agent-paas/agents/agents/built-in.ts";
import { createAgentRegistry } from "@agent-paas/agents/registry/agent-registry.ts";
import { loadPlugins, pluginFault } from "@agent-paas/agents/registry/plugins.ts";
import { createToolbox } from "@agent-paas/agents/registry/toolbox.ts";
const fatal = [], faults = [];
const classify = (error) => {
  const fault = pluginFault(error);
  if (fault === null) fatal.push(String(error));
  else faults.push(fault);
};
process.on("unhandledRejection", classify);
process.on("uncaughtException", classify);
const registries = { agents: createAgentRegistry(), toolbox: createToolbox() };
registerBuiltInAgents(registries.agents);
const loaded = await loadPlugins(process.argv[1], registries, { importWithinMs: 2_000 });
Promise.reject(new Error("not of a plugin"));
process.once("beforeExit", () => {
  const agents = registries.agents.manifests(registries.toolbox).map(({ id }) => id);
  console.log(JSON.stringify({ ...loaded, fatal, faults, agents, tools: registries.toolbox.names() }));
});`;

type Failure = { readonly file: string; readonly reason: string };
type Loaded = Record<"loaded" | "fatal" | "agents" | "tools", string[]> & Record<"failed" | "faults", Failure[]>;

/** Runs the program; paths in its output are relative to the folder. */
const load = async (files: Readonly<Record<string, string>>): Promise<Loaded> => loadFrom(await folderOf(files));

async function loadFrom(folder: string): Promise<Loaded> {
  const args = ["--input-type=module", "-e", LOADER, folder];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: join(ROOT, "apps/worker") });
  return JSON.parse(stdout.replaceAll(`${folder}/`, ""));
}

const reasons = ({ failed }: Loaded) => Object.fromEntries(failed.map(({ file, reason }) => [file, reason]));

test("a module that Node cannot load is reported with Node's message, file and line", async () => {
  const result = await load({
    "a.ts": agent("good_a"),
    "decorator.ts": 'import { registerAgent } from "@agent-paas/agents";\n\n@registerAgent("x")\nclass A {}\n',
    "enum.ts": "const a: number = 1;\n\nenum Colour { Red }\n",
    "export.ts": '\nimport { nope } from "@agent-paas/agents";\nnope();\n',
    "lib/broken.js": "\n\n\nconst const = 1;\n",
    "package.ts": '// left-pad\nimport { z } from "zod";\nimport pad from "left-pad";\npad(z);\n',
    "property.ts": "class A {\n  constructor(readonly x: number) {}\n}\nnew A(1);\n",
    "through.ts": 'import "./lib/broken.js";\n',
    "throws.ts": "\nfunction f(x: null): void { x.y; }\nf(null);\n",
    "unfinished.mjs": "\nexport const a = {\n",
    "z.ts": agent("good_z"),
  });
  expect(reasons(result)).toEqual({
    "decorator.ts": expect.stringMatching(/^SyntaxError: .+ \(line 3\)$/),
    "enum.ts": expect.stringMatching(/^SyntaxError: .*\benum\b.* \(line 3\)$/),
    "export.ts": expect.stringMatching(/^SyntaxError: .*'nope'.* \(line 2\)$/),
    "package.ts": expect.stringMatching(/^Error: .*'left-pad'.* \(line 3\)$/),
    "property.ts": expect.stringMatching(/^SyntaxError: .*\bproperty\b.* \(line 2\)$/),
    "through.ts": expect.stringMatching(/^SyntaxError: .*'const'.* \(lib\/broken\.js, line 4\)$/),
    "throws.ts": expect.stringMatching(/^TypeError: .*'y'.* \(line 2\)$/),
    "unfinished.mjs": expect.stringMatching(/^SyntaxError: .+ \(line 3\)$/),
  });
  expect(result.loaded).toEqual(["a.ts", "z.ts"]);
  expect(result.agents).toEqual(expect.arrayContaining(["chat_basic", "good_a", "good_z"]));
});

test("a plugin that fails after it has registered keeps nothing registered, even later", async () => {
  const result = await load({
    "a.ts": `${agent("half")}${tool("half_tool").replace("import { z }", "import { z as _ }")}\nthrow new Error("after all");\n`,
    "b.ts": `${agent("hanging")}await new Promise((go) => setTimeout(go, 2_500));\nregisterAgent("too_late")(Agent);\n`,
    "c.ts": `import "./d.ts";\nthrow new Error("not d's fault");\n`,
    "d.ts": agent("imported_by_c"),
  });
  expect(reasons(result)).toEqual({
    "a.ts": "Error: after all (line 13)",
    "b.ts": expect.stringMatching(/\b2 s\b/),
    "c.ts": "Error: not d's fault (line 2)",
  });
  expect(result.agents.filter((id) => /half|hanging|too_late|imported/.test(id))).toEqual(["imported_by_c"]);
  expect(result.tools).toEqual([]);
  expect(result.loaded).toEqual(["d.ts"]);
});

test("of two plugins with one name the later one is refused entirely, and the error names both", async () => {
  const result = await load({
    "a.ts": agent("twin"),
    "b.ts": `${agent("b_alone")}registerAgent("twin")(Agent);\n`,
    "c.ts": agent("chat_basic"),
    "d.ts": tool("twin_tool"),
    "e.ts": tool("twin_tool"),
    "f.ts": `${agent("f_alone")}registerAgent("f_alone")(Agent);\n`,
  });
  expect(reasons(result)).toEqual({
    "b.ts": expect.stringMatching(/"twin".*\ba\.ts, line 7 \(line 8\)$/),
    "c.ts": expect.stringMatching(/"chat_basic".*\(line 7\)$/),
    "e.ts": expect.stringMatching(/"twin_tool".*\bd\.ts, line 3 \(line 3\)$/),
    "f.ts": expect.stringMatching(/"f_alone".*\bf\.ts, line 7 \(line 8\)$/),
  });
  expect(result.agents.filter((id) => /twin|alone/.test(id))).toEqual(["twin"]);
  expect(result.tools).toEqual(["twin_tool"]);
});

test("an error that an import leaves running is reported whenever it occurs, and the process goes on", async () => {
  const result = await load({
    "a.ts": `${agent("careless")}
void Promise.reject(new Error("at once"));
setTimeout(() => { throw new Error("from a timer"); }, 50);
setTimeout(() => Promise.reject("no error"), 50);
void fetch("http://127.0.0.1:1/");\n`,
  });
  expect(result.failed).toEqual([]);
  expect(result.agents).toContain("careless");
  expect(result.faults.map(({ file, reason }) => `${file} ${reason}`).sort()).toMatchObject([
    "a.ts Error: at once (line 9)",
    "a.ts Error: from a timer (line 10)",
    "a.ts TypeError: fetch failed",
    expect.stringMatching(/^a\.ts .*'no error'/),
  ]);
  expect(result.fatal).toEqual(["Error: not of a plugin"]);
});

test("a strict worker does not start with a broken plugin, and names it", async () => {
  const folder = await folderOf({ "a.ts": agent("fine"), "b.ts": `${agent("lost")}throw new Error("broken");\n` });
  const platform = await startTestPlatform();
  onTestFinished(() => platform.stop());
  const start = platform.startWorker({ AGENTS_DIR: folder, AGENTS_STRICT: "on" });
  await expect(start).rejects.toMatchObject({ lastLines: expect.arrayContaining([expect.stringContaining("b.ts")]) });
  expect((await platform.alice.get("/agents/fine")).status).toBe(404);
});

test("a worker with broken plugins serves the agents of the others and logs each failure", async () => {
  const folder = await folderOf({
    "a.ts": `${agent("steady")}void Promise.reject(new Error("left behind"));
setTimeout(() => { throw new Error("from a timer"); }, 500);\n`,
    "b.ts": `${agent("lost")}throw new Error("broken");\n`,
    "c.ts": "await new Promise(() => {});\n",
  });
  const platform = await startTestPlatform({ env: { AGENTS_DIR: folder } });
  onTestFinished(() => platform.stop());
  const job = await platform.alice.ended(await platform.alice.execute("Who are you?", {}, "steady"));
  expect(job.result).toEqual({ content: "I am steady" });
  expect((await platform.alice.get("/agents/lost")).status).toBe(404);
  const reported = await waitFor("the log", async () => {
    const names = (await readdir(platform.logDir)).filter((name) => name.startsWith("worker"));
    const texts = await Promise.all(names.map((name) => readFile(join(platform.logDir, name), "utf8")));
    const lines = texts.flatMap((text) => text.split("\n").filter((line) => line.includes('"reason"')));
    return lines.length >= 4 && lines.map((line) => JSON.parse(line));
  });
  expect(reported).toMatchObject([
    { plugin: join(folder, "a.ts"), reason: "Error: left behind (line 8)" },
    { plugin: join(folder, "a.ts"), reason: "Error: from a timer (line 9)" },
    { plugin: join(folder, "b.ts"), reason: "Error: broken (line 8)" },
    { plugin: join(folder, "c.ts"), reason: expect.stringMatching(/\b10 s\b/) },
  ]);
});

test("a plugin finds the npm packages of its folder, whether the folder says that it holds modules or not", async () => {
  const { loaded, failed } = await load({
    "package.json": '{"private":true,"dependencies":{"greeter":"1.0.0"}}',
    "node_modules/greeter/package.json": '{"name":"greeter","version":"1.0.0","main":"index.js"}',
    "node_modules/greeter/index.js": 'exports.greet = () => "hello";',
    "polite.ts": `import { greet } from "greeter";\nif (greet() !== "hello") throw new Error(greet());\n${agent("polite")}`,
  });
  expect([loaded, failed]).toEqual([["polite.ts"], []]);
});

test("a folder outside the project may hold JavaScript, its own packages, and a copy of the platform's", async () => {
  const folder = await mkdtemp(join(tmpdir(), "agent-paas-plugins-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(join(ROOT, "node_modules/zod"), join(folder, "node_modules/zod"), { recursive: true });
  const copy = join(folder, "node_modules/@agent-paas/agents");
  await mkdir(copy, { recursive: true });
  await writeFile(join(copy, "package.json"), '{"name":"@agent-paas/agents","version":"0.0.1","main":"index.js"}');
  await writeFile(join(copy, "index.js"), 'throw new Error("this copy must not be loaded");');
  const module = agent("outside").replace("static description: string", "static description");
  await writeFile(join(folder, "outside.js"), module);
  const common = `const { BaseAgent, registerAgent, text } = require("@agent-paas/agents");
const { z } = require("zod");
class Agent extends BaseAgent {
  static description = "An agent in CommonJS.";
  static config = z.strictObject({ name: z.string().describe("Whose.").default("me") });
  async *run() { yield text("I am common"); }
}
registerAgent("common")(Agent);
`;
  await writeFile(join(folder, "common.cjs"), common);
  const { loaded, failed, agents } = await loadFrom(folder);
  expect([loaded, failed]).toEqual([["common.cjs", "outside.js"], []]);
  expect(agents).toEqual(expect.arrayContaining(["common", "outside"]));
});
