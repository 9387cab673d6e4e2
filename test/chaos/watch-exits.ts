/** A process that ends by itself is an incident. Those that are killed end by a signal, also at crash points. */
import type { RestartableProcess } from "../../scripts/services/restartable-process.ts";

export function watchExits(incident: (what: string) => void) {
  const bidden = new Set<number>();
  let isOver = false;
  return {
    /** The latest run of the process. */
    watch({ name, pid, exited }: RestartableProcess): void {
      void exited.then(({ code, signal }) => {
        if (isOver || bidden.has(pid) || signal === "SIGKILL") return;
        incident(`${name} ended by itself with ${signal ?? `exit code ${code}`}`);
      });
    },
    /** This one is told to end. */
    bid: (pid: number): void => void bidden.add(pid),
    /** From now on all may. */
    end(): void {
      isOver = true;
    },
  };
}
