/**
 * Counts what is alive in a running Node process after a full garbage collection, through its inspector.
 *
 * `follower-leaks` is the only user. Growth of memory hides a leak of a few hundred bytes per client for thousands of
 * clients; a count of listeners, timers, sockets and descriptors that does not return to its base shows it at once. The
 * product exposes no such counts and is not to do so for a test, and the inspector counts what no code keeps a list of.
 */
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { freePort } from "../../scripts/services/ports.ts";

export type Holdings = {
  /** Open files and sockets. */
  readonly descriptors: number;
  /** Timers, also those that do not keep the process alive. */
  readonly timers: number;
  /** Listeners of all event emitters together. */
  readonly listeners: number;
  readonly sockets: number;
  readonly responses: number;
  readonly abortSignals: number;
};

export type Memory = { readonly heapBytes: number; readonly rssBytes: number };

export type Inspector = {
  holdings(): Promise<Holdings>;
  memory(): Promise<Memory>;
  close(): void;
};

/** A process that is to be inspected must be started with `env`. */
export async function inspectable(): Promise<{ env: NodeJS.ProcessEnv; inspect(pid: number): Promise<Inspector> }> {
  const address = `127.0.0.1:${await freePort()}`;
  return { env: { NODE_OPTIONS: `--inspect=${address}` }, inspect: (pid) => inspect(pid, address) };
}

const TIMERS = "Object.getPrototypeOf(globalThis.anyTimer ??= setTimeout(() => {}, 2 ** 31 - 1).unref())";
const EMITTERS = `process.getBuiltinModule("events").EventEmitter.prototype`;
const ABORT_SIGNALS = "AbortSignal.prototype";

const COUNT = "function () { return this.length; }";
const COUNT_EMITTERS = `function () {
  const { EventEmitter: { prototype: { eventNames, listenerCount } } } = process.getBuiltinModule("events");
  const { ServerResponse } = process.getBuiltinModule("http");
  const { Socket } = process.getBuiltinModule("net");
  const listenersOf = (emitter) =>
    eventNames.call(emitter).reduce((sum, name) => sum + listenerCount.call(emitter, name), 0);
  return {
    listeners: this.reduce((sum, emitter) => sum + listenersOf(emitter), 0),
    sockets: this.filter((emitter) => emitter instanceof Socket).length,
    responses: this.filter((emitter) => emitter instanceof ServerResponse).length,
  };
}`;

type Remote = { readonly objectId: string; readonly value: unknown };

async function inspect(pid: number, address: string): Promise<Inspector> {
  const { call, close } = await connect(address);

  /** Calls the function with all living objects of this prototype; the query collects the garbage first. */
  async function ofAll<Result>(prototype: string, functionDeclaration: string): Promise<Result> {
    const group = { objectGroup: "queried" };
    const found = await call<{ result: Remote }>("Runtime.evaluate", { expression: prototype, ...group });
    const prototypeObjectId = found.result.objectId;
    const { objects } = await call<{ objects: Remote }>("Runtime.queryObjects", { prototypeObjectId, ...group });
    const { result } = await call<{ result: Remote }>("Runtime.callFunctionOn", {
      objectId: objects.objectId,
      functionDeclaration,
      returnByValue: true,
    });
    await call("Runtime.releaseObjectGroup", group);
    return result.value as Result;
  }

  return {
    holdings: async () => ({
      descriptors: (await readdir(`/proc/${pid}/fd`)).length,
      timers: await ofAll<number>(TIMERS, COUNT),
      ...(await ofAll<Pick<Holdings, "listeners" | "sockets" | "responses">>(EMITTERS, COUNT_EMITTERS)),
      abortSignals: await ofAll<number>(ABORT_SIGNALS, COUNT),
    }),
    async memory() {
      await call("HeapProfiler.collectGarbage");
      const { usedSize } = await call<{ usedSize: number }>("Runtime.getHeapUsage");
      return { heapBytes: usedSize, rssBytes: await residentBytes(pid) };
    },
    close,
  };
}

type Reply = { readonly id: number; readonly result?: unknown; readonly error?: { readonly message: string } };

async function connect(address: string) {
  const targets = (await (await fetch(`http://${address}/json/list`)).json()) as { webSocketDebuggerUrl: string }[];
  const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? "");
  const pending = new Map<number, (reply: Reply) => void>();
  let lastId = 0;
  socket.addEventListener("message", ({ data }) => {
    const reply = JSON.parse(String(data)) as Reply;
    pending.get(reply.id)?.(reply);
    pending.delete(reply.id);
  });
  await once(socket, "open");
  return {
    close: () => socket.close(),
    async call<Result>(method: string, params: object = {}): Promise<Result> {
      const id = ++lastId;
      const { result, error } = await new Promise<Reply>((resolve) => {
        pending.set(id, resolve);
        socket.send(JSON.stringify({ id, method, params }));
      });
      if (error !== undefined) throw new Error(`${method}: ${error.message}`);
      return result as Result;
    },
  };
}

/** From /proc (Linux only). */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024;
}
