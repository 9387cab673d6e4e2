/** `packages/client` as its users have it: built, packed, and installed into a folder outside the repository. */
import { type ExecFileOptions, execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "./sources.ts";

/** For the slowest of them, on a busy machine. */
const PROGRAM_WITHIN_MS = 120_000;

const run = (file: string, args: readonly string[], options: ExecFileOptions = {}) =>
  promisify(execFile)(file, args, { timeout: PROGRAM_WITHIN_MS, ...options, encoding: "utf8" });

export type PackedClient = {
  /** Has the package in its `node_modules`, and nothing else. */
  readonly folder: string;
  /** The files of the package, as the tarball has them. */
  readonly files: readonly string[];
  read(file: string): Promise<string>;
  write(file: string, text: string): Promise<void>;
  /** Runs a module of the folder with Node; what it prints. Throws what it prints on failure. */
  node(file: string, env: NodeJS.ProcessEnv): Promise<string>;
  /** Checks the types of files of the folder; what the compiler finds. */
  types(files: readonly string[], options: object): Promise<string>;
  remove(): Promise<void>;
};

const TSC = join(ROOT, "node_modules/.bin/tsc");

export async function packClient(): Promise<PackedClient> {
  const folder = await mkdtemp(join(tmpdir(), "agent-paas-client-"));
  const build = join(folder, "build");
  await run(process.execPath, [join(ROOT, "packages/client/build.mjs"), build]);
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder, build]);
  const [{ filename, files }] = JSON.parse(stdout);
  const user = join(folder, "user");
  await mkdir(user);
  await writeFile(join(user, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await run("npm", ["install", "--offline", join(folder, filename)], { cwd: user });
  return {
    folder: user,
    files: files.map(({ path }: { readonly path: string }) => path),
    read: (file) => readFile(join(user, "node_modules/@agent-paas/client", file), "utf8"),
    write: (file, text) => writeFile(join(user, file), text),
    async node(file, env) {
      const { stdout: printed } = await run(process.execPath, [file], { cwd: user, env, timeout: 60_000 });
      return printed;
    },
    async types(files, options) {
      const compilerOptions = { ...STRICT, ...options };
      await writeFile(join(user, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
      return run(TSC, ["-p", "."], { cwd: user }).then(
        ({ stdout: found }) => found,
        ({ stdout: found }) => found,
      );
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** As strict as a user may be; the package's own types are checked as well. */
const STRICT = {
  ...{ noEmit: true, strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
  ...{ target: "es2022", skipLibCheck: false, typeRoots: [join(ROOT, "node_modules/@types")] },
};
