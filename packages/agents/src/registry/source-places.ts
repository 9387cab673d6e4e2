/** Which line of which source an error comes from. Stacks name modules by path or by URL, and some name none at all. */
import { readFileSync } from "node:fs";
import { type Runtime, Session } from "node:inspector";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

export type Place = { readonly file: string; readonly line: number };

/** What Node and V8 write: `/path/of.ts:7` alone on a line, `file:///path/of.ts:7:3` in a frame. */
const PLACE = /(?<=^|[( ])((?:file:\/\/)?\/.*?):(\d+)(?=:\d|$)/gm;

/** Innermost first. */
function placesIn({ stack }: Error): Place[] {
  const found = typeof stack === "string" ? [...stack.matchAll(PLACE)] : [];
  return found.map(([, name = "", line]) => ({ file: asPath(name), line: Number(line) }));
}

/** The line of the innermost frame in `file`. */
export const lineIn = (error: Error, file: string): number | null =>
  placesIn(error).find((place) => place.file === file)?.line ?? null;

/** The innermost frame outside Node and installed packages, of those that lie below the first of the platform's own. */
export function foreignPlaceIn(error: Error): Place | null {
  const places = placesIn(error);
  const own = places.findIndex(({ file }) => file.startsWith(import.meta.dirname));
  const below = own === -1 ? places : places.slice(0, own);
  return below.find(({ file }) => !file.includes("/node_modules/")) ?? null;
}

/** Errors of imports that lead nowhere tell the module that imports, but not where. */
export function unresolvedImportIn({ message }: Error): Place | null {
  const [, wanted, file] = /^Cannot find \w+ '(.+)' imported from (\/.+)$/m.exec(message) ?? [];
  if (wanted === undefined || file === undefined) return null;
  const lines = readFileSync(file, "utf8").split("\n");
  const at = lines.findIndex((line) => ['"', "'"].some((quote) => line.includes(basename(wanted) + quote)));
  return at === -1 ? null : { file, line: at + 1 };
}

export type SyntaxErrorWatch = {
  placeOf(error: Error): Place | null;
  stop(): void;
};

/** Finds the places of syntax errors in ES modules, which V8 tells its debuggers only. */
export function watchSyntaxErrors(): SyntaxErrorWatch {
  const session = new Session();
  const files = new Map<string, string>();
  session.connect();
  session.on("Debugger.scriptFailedToParse", ({ params }) => files.set(params.scriptId, params.url));
  session.post("Debugger.enable");
  session.post("Debugger.setSkipAllPauses", { skip: true });

  return {
    placeOf(error) {
      let place: Place | null = null;
      Object.assign(globalThis, { [HANDLE]: error });
      session.post("Runtime.evaluate", { expression: HANDLE }, (_, { result }) => {
        const errorObjectId = result.objectId ?? "";
        session.post("Runtime.getExceptionDetails", { errorObjectId }, (_, found) => {
          const { scriptId = "", lineNumber = 0 } = (found as FoundDetails | undefined)?.exceptionDetails ?? {};
          const file = files.get(scriptId);
          if (file !== undefined) place = { file: asPath(file), line: lineNumber + 1 };
        });
      });
      Reflect.deleteProperty(globalThis, HANDLE);
      return place;
    },
    stop: () => session.disconnect(),
  };
}

/** Missing in Node's types. */
type FoundDetails = { readonly exceptionDetails?: Runtime.ExceptionDetails };

/** By which a debugger can reach the error. */
const HANDLE = "__syntaxErrorToPlace";

const asPath = (name: string): string => (name.startsWith("file:") ? fileURLToPath(name) : name);
