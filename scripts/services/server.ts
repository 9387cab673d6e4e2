// A server that its owner can hurt and bring back: what fault tests need; a part (part.ts) restarts itself.
// The same command each time, so it comes back on the same port with the same data.
import { type ChildSpec, spawnChild } from "./child.ts";

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 10_000;

export interface Server {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** SIGKILL, as a crash would be; resolves when it is gone. */
  kill(): Promise<void>;
  /** Again, after kill() or stop(); resolves when it answers. */
  start(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

export async function startServer(address: { url: string; port: number }, spec: ChildSpec): Promise<Server> {
  const launch = async () => {
    const child = spawnChild(spec);
    await child.ready(READY_WITHIN_MS);
    return child;
  };
  let child = await launch();
  return {
    ...address,
    get pid() {
      return child.pid;
    },
    async kill() {
      await child.kill();
    },
    async start() {
      child = await launch();
    },
    pause: () => child.signal("SIGSTOP"),
    resume: () => child.signal("SIGCONT"),
    async stop() {
      // A paused process takes no SIGTERM.
      child.signal("SIGCONT");
      await child.stop(STOP_WITHIN_MS);
    },
  };
}
