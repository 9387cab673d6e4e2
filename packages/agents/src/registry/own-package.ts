/**
 * Plugins get this very package under its name, wherever their folder lies and whatever its `node_modules` hold: a
 * second copy would have registries of its own, into which an agent would disappear.
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

const PACKAGE = new URL("../../package.json", import.meta.url);

let isOffered = false;

/** From now on, for the whole process; once is enough. */
export function offerOwnPackage(): void {
  if (isOffered) return;
  isOffered = true;
  const { name, exports }: { name: string; exports: Record<string, string> } = JSON.parse(
    readFileSync(PACKAGE, "utf8"),
  );
  const urls = new Map(
    Object.entries(exports).map(([path, file]) => [name + path.slice(1), new URL(file, PACKAGE).href]),
  );
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const url = urls.get(specifier);
      return url === undefined ? nextResolve(specifier, context) : { url, shortCircuit: true };
    },
  });
}
