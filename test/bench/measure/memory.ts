/** Resident memory of processes, from /proc (Linux). A page that processes share counts in each of them. */
import { readProc } from "./proc.ts";

const BYTES_PER_PAGE = 4_096;

/** 0 if the process has ended. */
export function residentBytes(pid: number): number {
  return Number(readProc(`${pid}/statm`)?.split(" ")[1] ?? 0) * BYTES_PER_PAGE;
}
