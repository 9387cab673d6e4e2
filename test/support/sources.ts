/** The project's sources for the architecture tests: files as git lists them, imports as their text names them. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../..");

export type Source = {
  /** Path below the root. */
  readonly file: string;
  readonly text: string;
  /** Imports of the project's own files, as paths below the root. */
  readonly own: readonly string[];
  /** Packages imported, without subpaths; `node:` modules left out. */
  readonly packages: readonly string[];
};

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s*"([^"]+)"|(?:^|\n)\s*import\s*"([^"]+)"|import\("([^"]+)"\)/g;

const WORKSPACES: Readonly<Record<string, string>> = {
  "@agent-paas/shared": "packages/shared",
  "@agent-paas/agents": "packages/agents",
  "@agent-paas/api": "apps/api",
  "@agent-paas/client": "packages/client",
  "@agent-paas/worker": "apps/worker",
};

/** Tracked and new files, without those that git ignores. */
export function listFiles(...patterns: string[]): string[] {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "--", ...patterns];
  return [...new Set(execFileSync("git", args, { cwd: ROOT, encoding: "utf8" }).split("\n"))].filter(Boolean).sort();
}

export const readText = (file: string): string => readFileSync(join(ROOT, file), "utf8");

export function readSources(): Source[] {
  return listFiles("*.ts", "*.tsx").map((file) => {
    const text = readText(file);
    const specifiers = [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
    const located = specifiers.map((specifier) => locate(file, specifier));
    return {
      file,
      text,
      own: located.filter((path) => path !== null),
      packages: specifiers
        .filter((_, at) => located[at] === null)
        .map(packageOf)
        .filter((name) => name !== null),
    };
  });
}

function locate(from: string, specifier: string): string | null {
  if (specifier.startsWith(".")) return normalize(join(dirname(from), specifier));
  const workspace = Object.keys(WORKSPACES).find((name) => specifier === name || specifier.startsWith(`${name}/`));
  if (workspace === undefined) return null;
  const subpath = specifier.slice(workspace.length + 1);
  return normalize(`${WORKSPACES[workspace]}/src/${fileOf(subpath)}`);
}

/** A specifier without an extension names a folder's entry, or an adapter. */
function fileOf(subpath: string): string {
  if (subpath.endsWith(".ts")) return subpath;
  return subpath.startsWith("adapters/") ? `${subpath}.ts` : `${subpath}/index.ts`;
}

function packageOf(specifier: string): string | null {
  if (specifier.startsWith("node:")) return null;
  const [scopeOrName = "", name = ""] = specifier.split("/");
  return scopeOrName.startsWith("@") ? `${scopeOrName}/${name}` : scopeOrName;
}
