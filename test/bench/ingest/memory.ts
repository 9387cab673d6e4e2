import { readFileSync } from "node:fs";

/** The most memory that a process had so far, as Linux counts it. */
export function memoryOf(pid: number | undefined): string {
  if (process.platform !== "linux" || pid === undefined) return "unknown memory";
  const line = readFileSync(`/proc/${pid}/status`, "utf8")
    .split("\n")
    .find((each) => each.startsWith("VmHWM"));
  return `${Math.round(Number(line?.split(":")[1]?.trim().split(" ")[0]) / 1_024)} MB at most`;
}
