/**
 * A pool of threads for work whose length somebody else decides. The calling thread never waits: a call that exceeds
 * its time is ended by terminating its thread, which stops even a loop that never yields, and a new thread takes its
 * place. Only the memory of the thread is at stake, too: its heap is bounded. Owners take turns.
 *
 * Own code, because of what pools of the registry do more or less: they keep a thread whose call has timed out, or
 * count the time that a call has waited for a thread.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { compileCacheEnv } from "@agent-paas/shared/lifecycle/compile-cache.ts";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { createOwnerTurns } from "./owner-turns.ts";
import { OutOfMemory, PoolIsBusy, ThreadFailed, TookTooLong } from "./thread-pool-errors.ts";

export type ThreadPool<Request, Reply> = {
  /**
   * Rejects with `TookTooLong` or `OutOfMemory`, which are the fault of the request; with `PoolIsBusy` or
   * `ThreadFailed`, which are not; or with what `refuse` returns when the call's turn comes.
   */
  run(request: Request, owner: string, refuse?: () => Error | null): Promise<Reply>;
  /** Ends all threads; calls under way and waiting reject. */
  close(): Promise<void>;
};

export type ThreadPoolOptions = {
  /** The module of the thread. It posts `ready` once, and then one reply per message. */
  readonly program: URL;
  readonly maxThreads: number;
  /** Time limit of a call, from the moment that its thread begins, ms. */
  readonly withinMs: number;
  /** How long a call may wait for a thread, ms. Default: 30 s. */
  readonly maxWaitMs?: number;
  /** Most memory of a thread: its heap, and what it holds outside the heap; MB each. Default: 96, unlimited. */
  readonly memory?: ThreadMemory;
};

export type ThreadMemory = { readonly heapMb: number; readonly outsideMb: number };

const MAX_WAITING = 1_000;
const MAX_WAIT_MS = 30 * SECOND;
const MAX_START_MS = 30 * SECOND;
/** An idle thread holds some 20 MB, so it ends after this time; a new one needs some 0.3 s of a core. */
const IDLE_MS = 5 * MINUTE;

const MEMORY: ThreadMemory = { heapMb: 96, outsideMb: Number.POSITIVE_INFINITY };
/** A thread that runs in a loop is interrupted for this; between two looks it can fill some 100 MB. */
const LOOK_AT_MEMORY_MS = 100;

type Call<Request, Reply> = {
  readonly request: Request;
  readonly owner: string;
  readonly refuse: () => Error | null;
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
  const { program, maxThreads, withinMs, maxWaitMs = MAX_WAIT_MS, memory = MEMORY } = options;
  const resourceLimits = { maxOldGenerationSizeMb: memory.heapMb, maxYoungGenerationSizeMb: 16, stackSizeMb: 2 };
  const turns = createOwnerTurns<Call<Request, Reply>>(MAX_WAITING);
  const threads = new Set<Thread<Request, Reply>>();

  function startThread(): void {
    let worker: Worker;
    try {
      // Without the process's flags and environment: the thread needs no secrets, and no modules loaded before it.
      // What it prints is dropped: libraries warn of documents, which are no business of the operator's.
      const env = compileCacheEnv();
      worker = new Worker(program, { resourceLimits, env, execArgv: [], stdin: false, stdout: true, stderr: true });
      worker.stdout.resume();
      worker.stderr.resume();
    } catch (cause) {
      // The system has no room for a further thread (EAGAIN). If others run, the calls wait for them.
      if (threads.size === 0) rejectWaiting(new ThreadFailed("a thread cannot be started", { cause }));
      return;
    }
    worker.unref();
    const timer = whenOver(MAX_START_MS, () => {
      if (thread.state === "starting") void end(thread, new ThreadFailed("a thread has not started in time"));
    });
    const thread: Thread<Request, Reply> = { worker, state: "starting", call: null, timer };
    threads.add(thread);
    worker.on("message", (message: Reply) => {
      // What a thread has posted before it was ended may arrive afterwards.
      if (thread.state === "ended") return;
      clearTimeout(thread.timer);
      const { call } = thread;
      thread.call = null;
      thread.state = "idle";
      thread.timer = setTimeout(() => end(thread, new ThreadFailed("idle")), IDLE_MS).unref();
      if (call !== null) turns.done(call.owner);
      call?.resolve(message);
      assign();
    });
    worker.on("messageerror", (cause) => end(thread, new ThreadFailed("a reply cannot be read", { cause })));
    worker.on("error", (cause) => {
      const isOwnFault = thread.state === "busy" && isOutOfMemory(cause);
      void end(thread, isOwnFault ? new OutOfMemory({ cause }) : new ThreadFailed("a thread has failed", { cause }));
    });
    worker.on("exit", () => end(thread, new ThreadFailed("a thread has ended by itself")));
  }

  function end(thread: Thread<Request, Reply>, reason: Error): Promise<unknown> {
    if (thread.state === "ended") return Promise.resolve();
    // A thread that cannot start fails one call, or every call would start a further thread for ever.
    const call = thread.state === "starting" ? take() : thread.call;
    thread.state = "ended";
    thread.call = null;
    clearTimeout(thread.timer);
    threads.delete(thread);
    if (call !== null) turns.done(call.owner);
    call?.reject(reason);
    const ended = thread.worker.terminate();
    assign();
    return ended;
  }

  /** Buffers are outside the heap, whose limit does not hold for them. */
  async function watchMemory(thread: Thread<Request, Reply>, call: Call<Request, Reply>): Promise<void> {
    while (thread.call === call) {
      await sleep(LOOK_AT_MEMORY_MS, undefined, { ref: false });
      const heap = await thread.worker.getHeapStatistics().catch(() => null);
      const outside = (heap?.external_memory ?? 0) / (1_024 * 1_024);
      if (outside > memory.outsideMb && thread.call === call) void end(thread, new OutOfMemory());
    }
  }

  /** Null when no call waits. The call counts as under way. */
  function take(): Call<Request, Reply> | null {
    for (let call = turns.next(); call !== undefined; call = turns.next()) {
      clearTimeout(call.tooLongWait);
      const refusal = call.refuse();
      if (refusal === null) return call;
      turns.done(call.owner);
      call.reject(refusal);
    }
    return null;
  }

  function rejectWaiting(reason: Error): void {
    for (let call = take(); call !== null; call = take()) {
      turns.done(call.owner);
      call.reject(reason);
    }
  }

  function assign(): void {
    for (const thread of threads) {
      if (thread.state !== "idle") continue;
      const call = take();
      if (call === null) return;
      clearTimeout(thread.timer);
      thread.state = "busy";
      thread.call = call;
      thread.timer = whenOver(withinMs, () => {
        if (thread.call === call) void end(thread, new TookTooLong(withinMs));
      });
      thread.worker.postMessage(call.request);
      if (Number.isFinite(memory.outsideMb)) void watchMemory(thread, call);
    }
    const starting = [...threads].filter(({ state }) => state === "starting").length;
    if (turns.size() > starting && threads.size < maxThreads) startThread();
  }

  return {
    run: (request, owner, refuse = () => null) =>
      new Promise((resolve, reject) => {
        const giveUp = () => {
          turns.remove(owner, call);
          reject(new PoolIsBusy(`no thread was free within ${maxWaitMs / SECOND} s`));
        };
        const tooLongWait = setTimeout(giveUp, maxWaitMs);
        const call: Call<Request, Reply> = { request, owner, refuse, resolve, reject, tooLongWait };
        const displaced = turns.add(owner, call);
        clearTimeout(displaced?.tooLongWait);
        displaced?.reject(new PoolIsBusy(`${MAX_WAITING} calls wait for a thread`));
        assign();
      }),
    async close() {
      rejectWaiting(new PoolIsBusy("the pool is closed"));
      await Promise.all([...threads].map((thread) => end(thread, new PoolIsBusy("the pool is closed"))));
    },
  };
}

/**
 * Timers run before the messages that have arrived meanwhile: after a pause of this process the reply may be there
 * already, so it is read first.
 */
const whenOver = (ms: number, callback: () => void): NodeJS.Timeout => setTimeout(() => setImmediate(callback), ms);

const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
