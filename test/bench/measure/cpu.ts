/** CPU time of processes, from /proc (Linux). */
import { listProc, readProc } from "./proc.ts";

/** /proc/PID/stat counts in ticks of 10 ms on every Linux that Node supports. */
const NS_PER_TICK = 10_000_000;

/**
 * CPU time since the start of the process, in ns; NaN once it has ended. The sum of its threads, counted in ns, and of
 * its ended children, counted in ticks (Redis forks to rewrite its file). Ended threads are missing; Node and Redis
 * keep theirs running.
 */
export function cpuNs(pid: number): number {
  const threads = listProc(`${pid}/task`).map((thread) => readProc(`${pid}/task/${thread}/schedstat`) ?? "0");
  return threads.reduce((sum, schedstat) => sum + Number(schedstat.split(" ", 1)[0]), childNs(pid));
}

function childNs(pid: number): number {
  // The command's name may contain spaces and brackets.
  const fields = readProc(`${pid}/stat`)
    ?.replace(/^.*\) /s, "")
    .split(" ");
  return fields === undefined ? Number.NaN : (Number(fields[13]) + Number(fields[14])) * NS_PER_TICK;
}
