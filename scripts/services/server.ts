/** An embedded server (Redis, Chroma) whose owner can kill, pause and restart it at the same address. */
import type { ChildSpec } from "./child.ts";
import { createRestartableProcess, type RestartableProcess } from "./restartable-process.ts";

const STOP_WITHIN_MS = 10_000;

export type Server = Pick<RestartableProcess, "pid" | "start" | "pause" | "resume"> & {
  readonly url: string;
  readonly port: number;
  /** SIGKILL, as in a crash; resolves when the server has ended. */
  kill(): Promise<void>;
  stop(): Promise<void>;
};

/** Resolves when the server answers. */
export async function startServer({ url, port }: { url: string; port: number }, spec: ChildSpec): Promise<Server> {
  const server = createRestartableProcess(spec, STOP_WITHIN_MS);
  const { start, pause, resume } = server;
  await start();
  return {
    ...{ url, port, start, pause, resume },
    get pid() {
      return server.pid;
    },
    kill: async () => void (await server.kill()),
    stop: async () => void (await server.stop()),
  };
}
