/**
 * The logger: pino, with one set of rolled files per process and the terminal. A thread of its own formats and writes
 * the lines, so that logging does not delay events.
 */
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Logger, pino, type TransportTargetOptions } from "pino";
import type { CommonConfig } from "../config/common-config.ts";
import { secretsOfTopology } from "../config/redis-topology.ts";
import { PlatformError } from "../errors/platform-error.ts";
import { DAY } from "../time.ts";
import { bufferLines } from "./buffered-lines.ts";
import { createRedactor } from "./redact.ts";

export type { Logger } from "pino";

export type LoggerOptions = {
  /** The name of the process: the field `process` of each line, and the first part of the names of its log files. */
  readonly name: string;
  readonly level: string;
  readonly terminalLevel: string;
  readonly terminalFormat: "pretty" | "json";
  /** The folder of the log files; null: no files are written. */
  readonly directory: string | null;
  /** Exact values that no line may contain. */
  readonly secrets: readonly string[];
};

/** A file is rolled at 10 MB; the current file and four older ones stay. */
const ROLL = { size: "10m", limit: { count: 4 } } as const;

/**
 * How long the files of former processes stay. Containers have new names after each start, so such files accumulate.
 */
const KEEP_OLD_FILES_MS = 14 * DAY;

/** Deletes log files of any process that were not written to for `KEEP_OLD_FILES_MS`. A missing folder is no error. */
export function removeOldLogFiles(directory: string, now: number): void {
  try {
    for (const name of readdirSync(directory)) {
      const file = join(directory, name);
      if (/\.\d+\.log$/.test(name) && now - statSync(file).mtimeMs > KEEP_OLD_FILES_MS) rmSync(file);
    }
  } catch {
    // Another process has deleted the file, or there is no folder yet. Neither may keep the process from starting.
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
  return pino(settings, bufferLines(pino.transport({ targets })));
}

/** The logger of a process, by its settings. `secrets` are values to redact besides those of the common settings. */
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
 * The fields of an error that are logged. Other properties may contain secrets: errors of HTTP clients hold whole
 * responses with headers, and validation errors hold the invalid value. Expected failures are logged without a stack.
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
