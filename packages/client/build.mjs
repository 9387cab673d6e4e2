/**
 * `npm run build`: writes the package that is published to dist/, or to the folder that is named: one minified module
 * with its source map, the types, and a manifest with the platform's version. `npm publish ./packages/client/dist`
 * publishes it.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { build } from "rolldown";

const HERE = import.meta.dirname;
const ROOT = join(HERE, "../..");
const DIST = resolve(process.argv[2] ?? join(HERE, "dist"));
const readJson = (file) => JSON.parse(readFileSync(file, "utf8"));

rmSync(DIST, { recursive: true, force: true });
await build({
  input: join(HERE, "src/index.ts"),
  output: { file: join(DIST, "index.js"), format: "esm", minify: true, sourcemap: true },
  logLevel: "warn",
});

const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
execFileSync(process.execPath, [tsc, "-p", join(HERE, "tsconfig.build.json"), "--outDir", DIST], { stdio: "inherit" });
// The compiler leaves the extension of sources in the types, which older compilers do not follow.
for (const name of globSync("**/*.d.ts", { cwd: DIST })) {
  const file = join(DIST, name);
  writeFileSync(file, readFileSync(file, "utf8").replace(/("\.[^"]*)\.ts"/g, '$1.js"'));
}

const { name, description, license, type } = readJson(join(HERE, "package.json"));
const { version } = readJson(join(ROOT, "package.json"));
const manifest = {
  ...{ name, version, description, license, type },
  engines: { node: ">=20" },
  sideEffects: false,
  exports: { ".": { types: "./index.d.ts", default: "./index.js" } },
};
writeFileSync(join(DIST, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
copyFileSync(join(ROOT, "LICENSE"), join(DIST, "LICENSE"));
copyFileSync(join(HERE, "README.md"), join(DIST, "README.md"));
