/** CPU time and memory of a system's processes during a measurement, by role. */
import { SECOND } from "@agent-paas/shared/time.ts";
import { cpuNs } from "./cpu.ts";
import { residentBytes } from "./memory.ts";

export type Role = "api" | "worker" | "redis";
export type ServerProcess = { readonly role: Role; readonly pid: number };
export type ByRole = Readonly<Record<Role, number>>;

const SAMPLE_EVERY_MS = SECOND / 4;
const US_PER_NS = 1 / 1_000;
export const BYTES_PER_MIB = 1_024 * 1_024;

export const sumOf = (values: ByRole) => values.api + values.worker + values.redis;

function byRole(processes: readonly ServerProcess[], read: (pid: number) => number): ByRole {
  const sums = { api: 0, worker: 0, redis: 0 };
  for (const { role, pid } of processes) sums[role] += read(pid);
  return sums;
}

export const residentByRole = (processes: readonly ServerProcess[]) => byRole(processes, residentBytes);

/** Returns a function that reads the CPU time of one process since this call, in µs. */
export function startCpuClockOf(pid: number): () => number {
  const before = cpuNs(pid);
  return () => (cpuNs(pid) - before) * US_PER_NS;
}

/** Returns a function that reads the CPU time of the processes since this call, in µs. */
export function startCpuClock(processes: readonly ServerProcess[]): () => ByRole {
  const before = byRole(processes, cpuNs);
  return () => {
    const now = byRole(processes, cpuNs);
    const used = (role: Role) => (now[role] - before[role]) * US_PER_NS;
    return { api: used("api"), worker: used("worker"), redis: used("redis") };
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
