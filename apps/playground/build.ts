/**
 * `npm run build`: writes the page to dist/: its modules with a hash of their content in their names, one style sheet,
 * and a gzipped twin beside each file. `npm start` calls `buildPlayground`, which does nothing while sources and
 * libraries are those of the last build.
 */
import { createHash } from "node:crypto";
import { cpSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const HERE = import.meta.dirname;
const SOURCES = ["build.ts", "package.json", "src/**/*.{ts,tsx,css,html,svg}", "../../packages/client/src/**/*.ts"];
const DIST = join(HERE, "dist");
const MARK = "sources.sha256";

const hash = (...contents: readonly (string | Uint8Array)[]): string =>
  contents.reduce((sum, one) => sum.update(one), createHash("sha256")).digest("hex");

function hashOfSources(): string {
  const files = globSync(SOURCES, { cwd: HERE, exclude: ["**/*.test.*"] }).sort();
  return hash(...files.flatMap((file) => [file, readFileSync(join(HERE, file))]));
}

function isCurrent(sources: string): boolean {
  try {
    return readFileSync(join(DIST, MARK), "utf8") === sources;
  } catch {
    return false;
  }
}

/** Builds the page if it is not that of the sources. Resolves to whether it was built. */
export async function buildPlayground(): Promise<boolean> {
  const sources = hashOfSources();
  if (isCurrent(sources)) return false;
  // Loaded only then: it is large.
  const { build } = await import("rolldown");
  // A page that is being served is replaced in one step.
  const next = `${DIST}.${process.pid}`;
  rmSync(next, { recursive: true, force: true });
  await build({
    input: { main: join(HERE, "src/main.tsx") },
    output: {
      dir: next,
      format: "esm",
      minify: true,
      entryFileNames: "[name]-[hash].js",
      chunkFileNames: "[name]-[hash].js",
    },
    transform: { jsx: { runtime: "automatic", importSource: "preact" } },
    tsconfig: false,
    logLevel: "warn",
  });
  writeStyles(next);
  writePage(next);
  for (const name of globSync("*", { cwd: next })) {
    const file = join(next, name);
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
  }
  writeFileSync(join(next, MARK), sources);
  replaceDist(next);
  return true;
}

/** Another process may do the same at the same time, with the same content. */
function replaceDist(next: string): void {
  for (let tries = 1; ; tries += 1) {
    rmSync(DIST, { recursive: true, force: true });
    try {
      renameSync(next, DIST);
      return;
    } catch (error) {
      if (tries === 10 || !["ENOTEMPTY", "EEXIST"].includes(String((error as NodeJS.ErrnoException).code))) throw error;
    }
  }
}

/** The base first: what stands in a folder of its own may overrule it. */
function writeStyles(folder: string): void {
  const sheets = ["src/ui/base.css", ...globSync("src/**/*.css", { cwd: HERE }).sort()];
  const css = [...new Set(sheets)].map((file) => readFileSync(join(HERE, file), "utf8")).join("\n");
  writeFileSync(join(folder, `styles-${hash(css).slice(0, 8)}.css`), css);
}

function writePage(folder: string): void {
  const [script] = globSync("main-*.js", { cwd: folder });
  const [styles] = globSync("styles-*.css", { cwd: folder });
  cpSync(join(HERE, "src/icon.svg"), join(folder, "icon.svg"));
  const page = readFileSync(join(HERE, "src/index.html"), "utf8");
  writeFileSync(join(folder, "index.html"), page.replace("main.js", script ?? "").replace("styles.css", styles ?? ""));
}

if (import.meta.main) await buildPlayground();
