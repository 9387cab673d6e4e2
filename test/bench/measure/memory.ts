/** Resident memory of processes, from /proc (Linux). Pages that processes share count in each of them. */
import { readProc } from "./proc.ts";

const BYTES_PER_PAGE = 4_096;

/** Of a process that has ended: 0. */
export function residentBytes(pid: number): number {
  return Number(readProc(`${pid}/statm`)?.split(" ")[1] ?? 0) * BYTES_PER_PAGE;
}
