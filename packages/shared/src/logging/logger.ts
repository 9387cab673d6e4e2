/** pino to one rolled file per process and to the terminal; both in a worker thread, off the token path. */
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Logger, pino, type TransportTargetOptions } from "pino";
import type { CommonConfig } from "../config/common-config.ts";
import { PlatformError } from "../errors/platform-error.ts";
import { secretsOfTopology } from "../redis/topology.ts";
import { DAY } from "../time.ts";
import { gatherLines } from "./gathered-lines.ts";
import { createRedactor } from "./redact.ts";

export type { Logger } from "pino";

export type LoggerOptions = {
  /** The process's name: field `process` of each line and stem of its log files. */
  readonly name: string;
  readonly level: string;
  readonly terminalLevel: string;
  readonly terminalFormat: "pretty" | "json";
  /** Folder of the log files; null writes none. */
  readonly directory: string | null;
  /** Exact values that must never appear. */
  readonly secrets: readonly string[];
};

/** Files roll at 10 MB; the current one and four older ones are kept. */
const ROLL = { size: "10m", limit: { count: 4 } } as const;

/** Processes come and go under new names (containers, above all); what the gone ones wrote is kept so long. */
const KEEP_OLD_FILES_MS = 14 * DAY;

/** Removes the log files of any process that nobody has written to for long. A missing folder has none. */
export function removeOldLogFiles(directory: string, now: number): void {
  try {
    for (const name of readdirSync(directory)) {
      const file = join(directory, name);
      if (/\.\d+\.log$/.test(name) && now - statSync(file).mtimeMs > KEEP_OLD_FILES_MS) rmSync(file);
    }
  } catch {
    // Another process removed it first, or there is no such folder yet: nothing to keep this one from starting.
  }
}

export function createLogger(options: LoggerOptions): Logger {
  const redact = createRedactor(options.secrets);
  const targets: TransportTargetOptions[] = [];
  if (options.terminalLevel !== "silent") {
    targets.push(
      options.terminalFormat === "pretty"
        ? {
            target: "pino-pretty",
            level: options.terminalLevel,
            options: { ignore: "pid,hostname", singleLine: true, translateTime: "SYS:HH:MM:ss.l" },
          }
        : { target: "pino/file", level: options.terminalLevel, options: { destination: 1 } },
    );
  }
  if (options.directory !== null) {
    const file = join(options.directory, options.name);
    targets.push({
      target: "pino-roll",
      level: options.level,
      options: { file, extension: ".log", mkdir: true, ...ROLL },
    });
  }
  const settings = {
    level: options.level,
    base: { process: options.name, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: (error: unknown) => describeError(error) },
    hooks: { streamWrite: redact },
  };
  if (targets.length === 0) return pino({ ...settings, enabled: false });
  return pino(settings, gatherLines(pino.transport({ targets })));
}

/** The logger of a process as its settings ask for; `secrets` are exact values beside the configuration's own. */
export function createProcessLogger(config: CommonConfig, name: string, secrets: readonly string[]): Logger {
  if (config.LOG_DIR !== "off") removeOldLogFiles(config.LOG_DIR, Date.now());
  return createLogger({
    name,
    level: config.LOG_LEVEL,
    terminalLevel: config.TERMINAL_LOG_LEVEL ?? config.LOG_LEVEL,
    terminalFormat: config.TERMINAL_LOG_FORMAT ?? (process.stdout.isTTY ? "pretty" : "json"),
    directory: config.LOG_DIR === "off" ? null : config.LOG_DIR,
    secrets: [...secretsOfTopology(config.REDIS_URL), ...secrets],
  });
}

/**
 * What a log says of an error: no more than this. Errors of HTTP clients carry whole responses, headers included, in
 * their properties, and validation errors the value they refuse. Failures with a code of ours are expected: where in the
 * code they arose says nothing.
 */
function describeError(error: unknown, withStack = isUnexpected(error), depth = MAX_CAUSES): unknown {
  if (!(error instanceof Error)) return String(error).slice(0, MAX_ERROR_TEXT);
  const { name, message, stack, cause } = error;
  const code = "code" in error ? error.code : undefined;
  return {
    type: name,
    message: message.slice(0, MAX_ERROR_TEXT),
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
    ...(withStack ? { stack: stack?.slice(0, 4 * MAX_ERROR_TEXT) } : {}),
    ...(cause === undefined || depth === 0 ? {} : { cause: describeError(cause, withStack, depth - 1) }),
  };
}

const isUnexpected = (error: unknown): boolean =>
  !(error instanceof PlatformError) || error.code === "internal_error" || error.code === "agent_failed";

const MAX_ERROR_TEXT = 500;
const MAX_CAUSES = 5;
