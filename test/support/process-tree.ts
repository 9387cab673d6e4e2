/** A process and its descendants, from /proc (Linux only). */
import { readFile } from "node:fs/promises";

const read = (path: string) => readFile(path, "utf8").catch(() => "");

/** The ids of the process and of all its descendants at this moment. */
export async function processTree(pid: number): Promise<number[]> {
  const children = (await read(`/proc/${pid}/task/${pid}/children`)).split(" ").filter(Boolean).map(Number);
  return [pid, ...(await Promise.all(children.map(processTree))).flat()];
}

/** The processes that still run; a zombie does not. */
export async function stillRunning(pids: readonly number[]): Promise<number[]> {
  const states = await Promise.all(pids.map((pid) => read(`/proc/${pid}/stat`)));
  return pids.filter((_, at) => states[at] !== "" && !/\) Z /.test(states[at] ?? ""));
}

/** The first process of the tree whose command line contains the text. */
export async function findProcess(pids: readonly number[], text: string): Promise<number | undefined> {
  const commands = await Promise.all(pids.map((pid) => read(`/proc/${pid}/cmdline`)));
  return pids.find((_, at) => commands[at]?.includes(text));
}
