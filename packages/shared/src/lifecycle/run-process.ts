/**
 * The life of one process: start, say that it is ready, wait for a reason to stop, stop within a bound, exit. Signals,
 * a lost parent (the IPC channel closes) and an uncaught error are the reasons.
 */
import { errorLine } from "../logging/describe-error.ts";
import type { ProcessLog } from "../logging/logger.ts";
import { SECOND } from "../time.ts";
import { createReleasers, type Releasers } from "./releasers.ts";
import { returnMemoryWhenIdle } from "./return-memory.ts";

export type ProcessOptions = {
  readonly log: ProcessLog;
  /** How long stopping may take in all, ms; after that the process exits with code 1. */
  readonly stopWithinMs: number;
  /**
   * Acquires everything; what it pushes on the stack is released at the end. `fail` stops the process with exit code 1
   * and names the reason on standard error.
   */
  readonly start: (releasers: Releasers, fail: (reason: string) => void) => Promise<void>;
  /**
   * Decides what an uncaught error or an unhandled rejection means for the process. It is called inside the process's
   * listener, in the async context of the code that failed. Default: every fault is fatal.
   */
  readonly classifyFault?: (error: unknown, kind: FaultKind) => FaultClass;
};

export type FaultKind = "uncaughtException" | "unhandledRejection";

/**
 * `fatal`: logged, and the process stops. `harmless`: logged as a warning. `handled`: the classifier has reported it.
 */
export type FaultClass = "fatal" | "harmless" | "handled";

type StopRequest = { readonly exitCode: number; readonly reason: string };

/** Runs the process to its end; never returns. Whatever ends it, the last word is on standard error. */
export async function runProcess({ log, stopWithinMs, start, classifyFault }: ProcessOptions): Promise<never> {
  const { logger, say } = log;
  let reason = "nothing is left to wait for";
  process.on("exit", (exitCode) => say(`${reason}; exit code ${exitCode}`));
  const releasers = createReleasers((name, err) => logger.error({ err, part: name }, "a part did not stop cleanly"));
  const failed = Promise.withResolvers<StopRequest>();
  const stopRequested = Promise.race([waitForStopRequest(log, classifyFault), failed.promise]);
  let exitCode = 0;
  try {
    // A start that waits for something, Redis above all, can be stopped too.
    const fail = (why: string) => failed.resolve({ exitCode: 1, reason: `stopped because ${why}` });
    const started = start(releasers, fail).then(() => {
      returnMemoryWhenIdle();
      process.send?.("ready");
    });
    ({ exitCode, reason } = await Promise.race([started.then(() => stopRequested), stopRequested]));
  } catch (err) {
    logger.fatal({ err }, "the process could not start");
    reason = `the process could not start: ${errorLine(err)}`;
    exitCode = 1;
  }
  const overdue = setTimeout(() => {
    logger.fatal({ stopWithinMs }, "stopping took too long");
    reason = `${reason}; stopping took longer than ${stopWithinMs} ms`;
    process.exit(1);
  }, stopWithinMs);
  await releasers.release();
  clearTimeout(overdue);
  logger.info({ exitCode }, "stopped");
  await Promise.race([new Promise<void>((resolve) => logger.flush(() => resolve())), after(SECOND)]);
  process.exit(exitCode);
}

function waitForStopRequest(
  { logger }: ProcessLog,
  classifyFault: NonNullable<ProcessOptions["classifyFault"]> = () => "fatal",
): Promise<StopRequest> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        logger.info({ signal }, "stopping");
        resolve({ exitCode: 0, reason: `stopped by ${signal}` });
      });
    }
    process.on("disconnect", () => {
      logger.warn("the parent process is gone, stopping");
      resolve({ exitCode: 0, reason: "stopped because the parent process is gone" });
    });
    for (const fault of ["uncaughtException", "unhandledRejection"] as const) {
      process.on(fault, (err: unknown) => {
        const outcome = classifyFault(err, fault);
        if (outcome === "handled") return;
        if (outcome === "harmless") {
          logger.warn({ err, fault }, "a harmless fault was ignored");
          return;
        }
        logger.fatal({ err, fault }, "unexpected error, stopping");
        resolve({ exitCode: 1, reason: `stopped by an unexpected error: ${errorLine(err)}` });
      });
    }
  });
}

const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
