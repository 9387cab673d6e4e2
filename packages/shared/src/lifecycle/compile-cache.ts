/** Node's compile cache keeps the JavaScript made of the TypeScript sources (scripts/compile-cache.mjs). */
import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";

/** The variable by which a process or thread that is started here uses this process's cache; empty without one. */
export function compileCacheEnv(): NodeJS.ProcessEnv {
  // A folder below the one that was named, for this version of Node and this user.
  const dir = getCompileCacheDir();
  return dir === undefined ? {} : { NODE_COMPILE_CACHE: dirname(dir) };
}
