/**
 * Which line of which source an error comes from. Three kinds of errors need three ways:
 * 1. A thrown error has its place in its stack, where Node names modules by path or by URL.
 * 2. An import that cannot be resolved names the importing module in its message, without the line.
 * 3. A syntax error in an ES module has no place at all: V8 reports file and line to an attached debugger alone. An
 *    inspector session in this process is that debugger, for the time of the load; without it a plugin's author would
 *    read `SyntaxError: Unexpected token 'const'` and would not know which of the plugin's modules to open.
 */
import { readFileSync } from "node:fs";
import { type Runtime, Session } from "node:inspector";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

export type Place = { readonly file: string; readonly line: number };

/** What Node and V8 write: `/path/of.ts:7` alone on a line, `file:///path/of.ts:7:3` in a frame. */
const PLACE = /(?<=^|[( ])((?:file:\/\/)?\/.*?):(\d+)(?=:\d|$)/gm;

/**
 * A longer line is no frame but part of a message, which may quote a client's text: on such a line `PLACE` would take
 * quadratic time.
 */
const MAX_FRAME_CHARS = 500;

/** Innermost first. */
function placesIn({ stack }: Error): Place[] {
  const lines = typeof stack === "string" ? stack.split("\n") : [];
  const found = lines.filter((line) => line.length <= MAX_FRAME_CHARS).flatMap((line) => [...line.matchAll(PLACE)]);
  return found.map(([, name = "", line]) => ({ file: asPath(name), line: Number(line) }));
}

/** The line of the innermost frame in `file`. */
export const lineIn = (error: Error, file: string): number | null =>
  placesIn(error).find((place) => place.file === file)?.line ?? null;

/** The sources of this package. */
const OWN = join(import.meta.dirname, "..");

/**
 * The innermost frame outside Node, installed packages and this package. A stack begins with frames of this package
 * when one of its functions refuses what it was given; frames beyond the next of its frames belong to the loader.
 */
export function foreignPlaceIn(error: Error): Place | null {
  const places = placesIn(error);
  const isOwn = ({ file }: Place) => file.startsWith(OWN);
  const caller = places.slice(places.findIndex((place) => !isOwn(place)));
  const loader = caller.findIndex(isOwn);
  const below = loader === -1 ? caller : caller.slice(0, loader);
  return below.find(({ file }) => !file.includes("/node_modules/")) ?? null;
}

/** The line of the import statement that Node could not resolve (2). */
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

/** Collects the scripts that V8 fails to parse from now on, and finds the place of a syntax error among them (3). */
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

/** The global variable by which the inspector session can refer to the error. */
const HANDLE = "__syntaxErrorToPlace";

const asPath = (name: string): string => (name.startsWith("file:") ? fileURLToPath(name) : name);
