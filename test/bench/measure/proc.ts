/** Reads /proc (Linux); an ended process or thread yields undefined or an empty list instead of an error. */
import { readdirSync, readFileSync } from "node:fs";

const ENDED = new Set(["ENOENT", "ESRCH"]);

function unlessEnded<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (ENDED.has((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

export const readProc = (path: string) => unlessEnded(() => readFileSync(`/proc/${path}`, "utf8"));
export const listProc = (path: string) => unlessEnded(() => readdirSync(`/proc/${path}`)) ?? [];

/** The live children of a process. */
export const childrenOf = (pid: number): number[] =>
  listProc(`${pid}/task`).flatMap((thread) =>
    (readProc(`${pid}/task/${thread}/children`) ?? "").split(" ").filter(Boolean).map(Number),
  );
