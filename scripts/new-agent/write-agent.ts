/** The files of a new agent: those of the template, with the agent's names in the place of the template's. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { makeFolder } from "@agent-paas/shared/files/folders.ts";
import { UsageError } from "../start/options.ts";

/** As the registry of agents takes it. */
const AGENT_ID = /^[a-z][a-z0-9_-]{0,63}$/;
const TEMPLATE = { folder: "packages/agents/template", file: "my-agent", id: "my_agent", className: "MyAgent" };

export type NewAgent = {
  readonly id: string;
  /** AGENTS_DIR: absolute, or below `root`. */
  readonly folder: string;
  readonly root: string;
};

/** Writes the files; returns what to do next. Throws a `UsageError` for a bad name, and for one that is taken. */
export async function newAgent({ id, folder, root }: NewAgent): Promise<string> {
  if (!AGENT_ID.test(id)) {
    throw new UsageError(`"${id}" is no agent id: use a-z, 0-9, '_' and '-', starting with a letter`);
  }
  const file = id.replaceAll("_", "-").replace(/-+$/, "");
  const target = resolve(root, folder);
  const names = [`${file}.ts`, `${file}.test.ts`];
  const taken = names.map((name) => join(target, name)).find(existsSync);
  if (taken !== undefined) throw new UsageError(`${taken} exists already; nothing is overwritten`);

  makeFolder(target);
  for (const name of names) {
    const template = join(root, TEMPLATE.folder, name.replace(file, TEMPLATE.file));
    const text = (await readFile(template, "utf8"))
      .replaceAll(TEMPLATE.id, id)
      .replaceAll(TEMPLATE.file, file)
      .replaceAll(TEMPLATE.className, classNameOf(id));
    await writeFile(join(target, name), text, { flag: "wx" });
  }
  await writeTypeSettings(target, root);
  const shown = relative(root, target);
  return nextSteps(shown.startsWith("..") ? target : shown, names, folder);
}

/** `order_desk` → `OrderDesk`. */
const classNameOf = (id: string): string =>
  id.replace(/(?:^|[_-]+)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()).replace(/[_-]+$/, "");

/**
 * So that an editor, and `npm start -- --watch`, check the agents as strictly as the platform's own sources. A folder
 * outside the project does not find the platform's packages by itself.
 */
export async function writeTypeSettings(target: string, root: string): Promise<void> {
  const file = join(target, "tsconfig.json");
  if (existsSync(file)) return;
  const base = relative(target, join(root, "tsconfig.base.json"));
  const settings = { extends: base.startsWith(".") ? base : `./${base}`, include: ["."] };
  const sources = join(root, "packages/agents/src");
  const compilerOptions = {
    typeRoots: [join(root, "node_modules/@types")],
    paths: {
      "@agent-paas/agents": [join(sources, "index.ts")],
      "@agent-paas/agents/testing": [join(sources, "testing/index.ts")],
      "@agent-paas/agents/adapters/*": [join(sources, "adapters/*.ts")],
      vitest: [join(root, "node_modules/vitest/dist/index.d.ts")],
    },
  };
  const isInside = !relative(root, target).startsWith("..");
  if (!isInside && !existsSync(join(target, "package.json"))) {
    await writeFile(join(target, "package.json"), '{ "private": true, "type": "module" }\n');
  }
  await writeFile(file, `${JSON.stringify(isInside ? settings : { ...settings, compilerOptions }, null, 2)}\n`);
}

function nextSteps(folder: string, [agent, test]: readonly string[], setting: string): string {
  const env = setting === "agents" ? "" : `AGENTS_DIR=${setting} `;
  return `
  ${join(folder, agent ?? "")}
  ${join(folder, test ?? "")}

Test it:  ${env}npx vitest run --project agents
Run it:   AGENTS_DIR=${setting} npm start -- --watch
`;
}
