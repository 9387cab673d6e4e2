import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { BaseAgent } from "../agent/agent.ts";
import { text } from "../agent/events.ts";
import { defineTool } from "../tools/tool.ts";
import { createAgentRegistry } from "./agent-registry.ts";
import { runAsPlugin } from "./plugin-scope.ts";
import { loadPlugins, pluginFault } from "./plugins.ts";
import { registerAgent, registerTool } from "./register.ts";
import { createToolbox } from "./toolbox.ts";

class EchoAgent extends BaseAgent {
  static readonly description = "Repeats the task.";
  static readonly config = z.strictObject({});
  async *run() {
    yield text("echo");
  }
}

const echoTool = defineTool({
  ...{ name: "echo", description: "Repeats a word.", parameters: z.strictObject({}), idempotent: true },
  call: () => "echo",
});

const newRegistries = () => ({ agents: createAgentRegistry(), toolbox: createToolbox() });

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "plugins-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, source] of Object.entries(files)) await writeFile(join(folder, name), source);
  return folder;
}

test("a broken plugin is reported, and the other plugins are loaded", async () => {
  const folder = await folderOf({
    "a-good.mjs": "globalThis.loadedPlugins = ['a'];",
    "b-broken.mjs": "\nthrow new Error('broken on purpose');",
    "c-good.js": "globalThis.loadedPlugins.push('c');",
    "d.test.ts": "throw new Error('a test is no plugin');",
    "d.d.ts": "throw new Error('nor is a declaration');",
    "notes.md": "no module",
  });
  const { loaded, failed } = await loadPlugins(folder, newRegistries());
  expect(loaded).toEqual([join(folder, "a-good.mjs"), join(folder, "c-good.js")]);
  expect(failed).toEqual([{ file: join(folder, "b-broken.mjs"), reason: "Error: broken on purpose (line 2)" }]);
  expect((globalThis as { loadedPlugins?: string[] }).loadedPlugins).toEqual(["a", "c"]);
});

test("any thrown value is described as the reason of the failure", async () => {
  const folder = await folderOf({
    "a.mjs": "throw 'a text';",
    "b.mjs": "throw undefined;",
    "c.mjs": "throw Object.create(null);",
    "d.mjs": "throw Object.create(Error.prototype);",
    "e.mjs": "throw Object.assign(new Error('odd'), { stack: 7 });",
  });
  const { failed } = await loadPlugins(folder, newRegistries());
  expect(failed.map(({ reason }) => reason)).toEqual([
    "it threw 'a text', which is no Error and has no line",
    "it threw undefined, which is no Error and has no line",
    "it threw [Object: null prototype] {}, which is no Error and has no line",
    "Error: ",
    "Error: odd",
  ]);
});

test("an import that does not end within its time limit fails, and the next plugin is loaded", async () => {
  const folder = await folderOf({ "a.mjs": "await new Promise(() => {});", "b.mjs": "export {};" });
  const { loaded, failed } = await loadPlugins(folder, newRegistries(), { importWithinMs: 1_000 });
  expect(failed).toEqual([{ file: join(folder, "a.mjs"), reason: "Error: a top-level await did not end within 1 s" }]);
  expect(loaded).toEqual([join(folder, "b.mjs")]);
});

test("the error for a missing folder names the setting and the absolute path", async () => {
  await expect(loadPlugins("no/such/folder", newRegistries())).rejects.toThrow(
    /AGENTS_DIR=no\/such\/folder: there is no such folder as \//,
  );
});

test("registerAgent and registerTool check their arguments outside a load, and register nothing", () => {
  const { agents } = newRegistries();
  registerAgent("echo")(EchoAgent);
  registerTool(echoTool);
  expect(agents.find("echo")).toBeUndefined();
  expect(() => registerAgent("No Id")(EchoAgent)).toThrow(/no agent id/);
  expect(() => registerTool({ ...echoTool, name: "no name" })).toThrow(/no name/);
});

test("registrations go to the registries of the plugin's own load, also after the import has ended", async () => {
  const [first, second] = [newRegistries(), newRegistries()];
  const import1 = { file: "/plugins/a.ts", folder: ["/plugins/a.ts"], ...first };
  const import2 = { file: "/plugins/b.ts", folder: ["/plugins/b.ts"], ...second };
  runAsPlugin(import1, () => registerAgent("echo")(EchoAgent));
  await runAsPlugin(import2, async () => {
    await Promise.resolve();
    registerTool(echoTool);
  });
  expect([first.agents.find("echo"), first.toolbox.names()]).toEqual([EchoAgent, []]);
  expect([second.agents.find("echo"), second.toolbox.names()]).toEqual([undefined, ["echo"]]);
});

test("a plugin that was revoked registers nothing afterwards, in either registry", () => {
  const registries = newRegistries();
  const scope = { file: "/plugins/a.ts", folder: ["/plugins/a.ts"], ...registries };
  runAsPlugin(scope, () => registerAgent("echo")(EchoAgent));
  registries.agents.revoke(scope.file);
  registries.toolbox.revoke(scope.file);
  expect(registries.agents.manifests(registries.toolbox)).toEqual([]);
  const late = [() => registerAgent("late")(EchoAgent), () => registerTool(echoTool)];
  for (const register of late) {
    expect(() => runAsPlugin(scope, register)).toThrow("The plugin /plugins/a.ts has failed and can register nothing");
  }
});

test("a fault belongs to the plugin in whose async context it is looked at, and otherwise to no plugin", async () => {
  const scope = { file: "/plugins/a.ts", folder: ["/plugins/a.ts"], ...newRegistries() };
  const later = runAsPlugin(scope, () => new Promise((resolve) => setTimeout(() => resolve(pluginFault("odd")), 1)));
  expect(await later).toEqual({ file: scope.file, reason: "it threw 'odd', which is no Error and has no line" });
  expect(pluginFault(new Error("not of a plugin"))).toBeNull();
});
