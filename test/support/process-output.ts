/** Everything that the child processes of this test process write to standard output and error. */
import type { ChildProcess } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";

export type ProcessOutput = { text(): string; stop(): void };

/** Records the children that are spawned after this call. */
export function recordProcessOutput(): ProcessOutput {
  const chunks: Buffer[] = [];
  const keep = (chunk: Buffer) => void chunks.push(chunk);
  const onSpawn = (message: unknown) => {
    const { process: child } = message as { process: ChildProcess };
    // The pipes exist once `spawn` has returned.
    queueMicrotask(() => {
      child.stdout?.on("data", keep);
      child.stderr?.on("data", keep);
    });
  };
  subscribe("child_process", onSpawn);
  return { text: () => Buffer.concat(chunks).toString(), stop: () => unsubscribe("child_process", onSpawn) };
}
