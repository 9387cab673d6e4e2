/** Memory of processes, from /proc (Linux). A page that processes share counts in the resident memory of each. */
import { readProc } from "./proc.ts";

const BYTES_PER_PAGE = 4_096;

/** 0 if the process has ended. */
export function residentBytes(pid: number): number {
  return Number(readProc(`${pid}/statm`)?.split(" ")[1] ?? 0) * BYTES_PER_PAGE;
}

const BYTES_PER_KIB = 1_024;

/**
 * The proportional set size: a page that several processes share, such as one of Node's own, is divided among them, so
 * that the sum over processes is what the machine holds. 0 if the process has ended.
 */
export function proportionalBytes(pid: number): number {
  const kib = /^Pss:\s+(\d+) kB/m.exec(readProc(`${pid}/smaps_rollup`) ?? "")?.[1];
  return Number(kib ?? 0) * BYTES_PER_KIB;
}
