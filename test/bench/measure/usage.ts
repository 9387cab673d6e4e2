/** CPU time and memory of a system's processes during a measurement, by role. */
import { SECOND } from "@agent-paas/shared/time.ts";
import { cpuNs } from "./cpu.ts";
import { proportionalBytes, residentBytes } from "./memory.ts";
import { childrenOf } from "./proc.ts";

export type Role = "api" | "worker" | "redis" | "database";
export type ServerProcess = {
  readonly role: Role;
  readonly pid: number;
  /** A server that has a process for each connection: they count as well. */
  readonly hasChildren?: true;
};
export type ByRole = Readonly<Record<Role, number>>;

const SAMPLE_EVERY_MS = SECOND / 4;
const US_PER_NS = 1 / 1_000;
export const BYTES_PER_MIB = 1_024 * 1_024;

export const sumOf = (values: ByRole) => values.api + values.worker + values.redis + values.database;

function byRole(
  processes: readonly ServerProcess[],
  read: (pid: number) => number,
  /** Of a server with processes of its own. */
  readOfFamily = read,
): ByRole {
  const sums = { api: 0, worker: 0, redis: 0, database: 0 };
  for (const { role, pid, hasChildren } of processes) {
    if (hasChildren !== true) {
      sums[role] += read(pid);
      continue;
    }
    sums[role] += readOfFamily(pid);
    // A child may end just now; its CPU time is then its parent's.
    for (const child of childrenOf(pid)) sums[role] += readOfFamily(child) || 0;
  }
  return sums;
}

/** The processes of one server share its buffers, which count once. */
export const residentByRole = (processes: readonly ServerProcess[]) =>
  byRole(processes, residentBytes, proportionalBytes);

/** CPU time so far, in ns. */
export const cpuOf = (processes: readonly ServerProcess[]) => byRole(processes, cpuNs);

/** Returns a function that reads the CPU time of one process since this call, in µs. */
export function startCpuClockOf(pid: number): () => number {
  const before = cpuNs(pid);
  return () => (cpuNs(pid) - before) * US_PER_NS;
}

/** Returns a function that reads the CPU time of the processes since this call, in µs. */
export function startCpuClock(processes: readonly ServerProcess[]): () => ByRole {
  const before = cpuOf(processes);
  return () => {
    const now = cpuOf(processes);
    const used = (role: Role) => (now[role] - before[role]) * US_PER_NS;
    return { api: used("api"), worker: used("worker"), redis: used("redis"), database: used("database") };
  };
}

export type Usage<T> = { readonly result: T; readonly cpuUs: ByRole; readonly peakMiB: number };

/** Measures what the processes use during the work; the work's parameter reads the CPU time so far. */
export async function withUsage<T>(
  processes: readonly ServerProcess[],
  work: (cpuUs: () => ByRole) => Promise<T>,
): Promise<Usage<T>> {
  let peakBytes = 0;
  const sample = () => {
    peakBytes = Math.max(peakBytes, sumOf(residentByRole(processes)));
  };
  const timer = setInterval(sample, SAMPLE_EVERY_MS);
  try {
    const cpuUs = startCpuClock(processes);
    const result = await work(cpuUs);
    const used = cpuUs();
    sample();
    return { result, cpuUs: used, peakMiB: peakBytes / BYTES_PER_MIB };
  } finally {
    clearInterval(timer);
  }
}
