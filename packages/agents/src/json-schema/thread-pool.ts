/**
 * A pool of threads for work whose length somebody else decides. The calling thread never waits: a call that exceeds
 * its time is ended by terminating its thread, which stops even a loop that never yields, and a new thread takes its
 * place. Only the memory of the thread is at stake, too: its heap is bounded.
 *
 * Own code, because of what pools of the registry do more or less: they keep a thread whose call has timed out, or
 * count the time that a call has waited for a thread.
 */
import { Worker } from "node:worker_threads";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";

export type ThreadPool<Request, Reply> = {
  /** Rejects with `TookTooLong`, `PoolIsBusy`, or an error of the thread, such as that its memory is used up. */
  run(request: Request): Promise<Reply>;
  /** Ends all threads; calls under way and waiting reject. */
  close(): Promise<void>;
};

export type ThreadPoolOptions = {
  /** The module of the thread. It posts `ready` once, and then one reply per message. */
  readonly program: URL;
  readonly maxThreads: number;
  /** Time limit of a call, from the moment that its thread begins, ms. */
  readonly withinMs: number;
};

export class TookTooLong extends Error {
  override readonly name = "TookTooLong";
}

/** Too many calls wait, or a call has waited too long. */
export class PoolIsBusy extends Error {
  override readonly name = "PoolIsBusy";
}

const MAX_WAITING = 1_000;
const MAX_WAIT_MS = 30 * SECOND;
const MAX_START_MS = 30 * SECOND;
/** An idle thread holds some 20 MB, so it ends after this time; a new one needs some 0.3 s of a core. */
const IDLE_MS = 5 * MINUTE;

const MEMORY = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16, stackSizeMb: 2 };

type Call<Request, Reply> = {
  readonly request: Request;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly tooLongWait: NodeJS.Timeout;
};

type Thread<Request, Reply> = {
  readonly worker: Worker;
  state: "starting" | "idle" | "busy" | "ended";
  call: Call<Request, Reply> | null;
  /** Ends the thread when its start or its call takes too long, or when it has been idle. */
  timer: NodeJS.Timeout;
};

export function createThreadPool<Request, Reply>(options: ThreadPoolOptions): ThreadPool<Request, Reply> {
  const { program, maxThreads, withinMs } = options;
  const waiting: Call<Request, Reply>[] = [];
  const threads = new Set<Thread<Request, Reply>>();

  function startThread(): void {
    // Without the process's flags and environment: the thread needs no secrets, and no modules loaded before it.
    const worker = new Worker(program, { resourceLimits: MEMORY, env: {}, execArgv: [], stdin: false });
    worker.unref();
    const timer = setTimeout(() => end(thread, new Error("a thread does not start")), MAX_START_MS);
    const thread: Thread<Request, Reply> = { worker, state: "starting", call: null, timer };
    threads.add(thread);
    worker.on("message", (message: Reply) => {
      clearTimeout(thread.timer);
      const { call } = thread;
      thread.call = null;
      thread.state = "idle";
      thread.timer = setTimeout(() => end(thread, new Error("idle")), IDLE_MS).unref();
      call?.resolve(message);
      assign();
    });
    worker.on("error", (error) => end(thread, error instanceof Error ? error : new Error(String(error))));
    worker.on("exit", () => end(thread, new Error("a thread has ended by itself")));
  }

  function end(thread: Thread<Request, Reply>, reason: Error): Promise<unknown> {
    if (thread.state === "ended") return Promise.resolve();
    // A thread that cannot start fails one call, or every call would start a further thread for ever.
    const call = thread.state === "starting" ? take() : thread.call;
    thread.state = "ended";
    clearTimeout(thread.timer);
    threads.delete(thread);
    call?.reject(reason);
    const ended = thread.worker.terminate();
    assign();
    return ended;
  }

  function take(): Call<Request, Reply> | undefined {
    const call = waiting.shift();
    clearTimeout(call?.tooLongWait);
    return call;
  }

  function assign(): void {
    for (const thread of threads) {
      if (thread.state !== "idle") continue;
      const call = take();
      if (call === undefined) return;
      clearTimeout(thread.timer);
      thread.state = "busy";
      thread.call = call;
      thread.timer = setTimeout(() => end(thread, tooLong()), withinMs);
      thread.worker.postMessage(call.request);
    }
    const starting = [...threads].filter(({ state }) => state === "starting").length;
    if (waiting.length > starting && threads.size < maxThreads) startThread();
  }

  const tooLong = () => new TookTooLong(`it takes more than ${withinMs / SECOND} s`);

  return {
    run: (request) =>
      new Promise((resolve, reject) => {
        if (waiting.length >= MAX_WAITING) {
          reject(new PoolIsBusy(`${MAX_WAITING} calls wait for a thread`));
          return;
        }
        const giveUp = () => {
          waiting.splice(waiting.indexOf(call), 1);
          reject(new PoolIsBusy(`no thread was free within ${MAX_WAIT_MS / SECOND} s`));
        };
        const call = { request, resolve, reject, tooLongWait: setTimeout(giveUp, MAX_WAIT_MS) };
        waiting.push(call);
        assign();
      }),
    async close() {
      for (let call = take(); call !== undefined; call = take()) call.reject(new PoolIsBusy("the pool is closed"));
      await Promise.all([...threads].map((thread) => end(thread, new PoolIsBusy("the pool is closed"))));
    },
  };
}
