/**
 * The logger: pino, with one set of rolled files per process and the terminal. What one of them cannot take is dropped,
 * counted and said in the other, and never keeps the process from serving, starting or stopping.
 */
import { type Logger, pino } from "pino";
import { prettyFactory } from "pino-pretty";
import type { CommonConfig } from "../config/common-config.ts";
import { secretsOfDatabaseUrl } from "../config/database-url.ts";
import { exitOnConfigError } from "../config/read-config.ts";
import { secretsOfTopology } from "../config/redis-topology.ts";
import { openSpeaker, STANDARD_ERROR, STANDARD_OUTPUT } from "../standard-output.ts";
import { describeError } from "./describe-error.ts";
import { createLineSink, type LineSink } from "./line-sink.ts";
import { distributeLines, type LeveledSink } from "./log-destination.ts";
import { assertLogDirectory, openLogFiles } from "./log-files.ts";
import { type LogOutput, openTerminal } from "./log-output.ts";
import { removeOldLogFiles } from "./log-retention.ts";
import { createRedactor } from "./redact.ts";
import { logRepeatedly } from "./repeated-warnings.ts";

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

const PRETTY = { ignore: "pid,hostname", singleLine: true, translateTime: "SYS:HH:MM:ss.l" } as const;

const LINES_ARE_DROPPED = "log lines cannot be written and are dropped";
const LINES_ARE_WRITTEN_AGAIN = "log lines are written again; some were dropped";

type Notices = Pick<Logger, "info" | "warn">;

type Place = {
  readonly fields: Readonly<Record<string, string>>;
  readonly notices: Notices;
  readonly format?: (line: string) => string;
};

/** The number of pino's lowest level. */
const TRACE_LEVEL = 10;

export type ProcessLog = {
  readonly logger: Logger;
  /** Writes a line to standard error at once, also while an exit is under way and when no log can be written. */
  readonly say: (text: string) => void;
};

export function createProcessLog(options: LoggerOptions): ProcessLog {
  const redact = createRedactor(options.secrets);
  const settings = {
    base: { process: options.name, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: (error: unknown) => describeError(error) },
    hooks: { streamWrite: redact },
  };
  const speak = openSpeaker(STANDARD_ERROR);
  const say = (text: string) => speak(redact(`${options.name}: ${text}\n`));
  const sinks: LeveledSink[] = [];

  /** What the log says about itself goes to `sink`, whatever its level, and to standard error if there is none. */
  function noticesTo(sink: () => LineSink | undefined): Notices {
    const write = (line: string) => {
      const target = sink();
      if (target === undefined) return say(line.trimEnd());
      target.write(line);
      target.send();
    };
    return pino(settings, { write });
  }

  function addSink(output: LogOutput, place: Place, level: number): LineSink {
    const { fields, notices, format = (line) => line } = place;
    let formatted = "";
    const formatter = pino(settings, {
      write(line) {
        formatted = line;
      },
    });
    const sink = createLineSink(output, {
      failed: (err, dropped) => logRepeatedly(notices, "warn", { err, ...fields, dropped }, LINES_ARE_DROPPED),
      recovered: (dropped) => notices.warn({ ...fields, dropped }, LINES_ARE_WRITTEN_AGAIN),
      recoveryLine(dropped) {
        formatter.warn({ ...fields, dropped }, LINES_ARE_WRITTEN_AGAIN);
        return format(formatted);
      },
    });
    const formatting = { ...sink, write: (line: string) => sink.write(format(line)), level };
    sinks.push(formatting);
    return formatting;
  }

  let files: LineSink | undefined;
  let terminal: LineSink | undefined;
  const { directory, terminalLevel, terminalFormat } = options;
  if (directory !== null) {
    const place = { fields: { log_dir: directory }, notices: noticesTo(() => terminal) };
    files = addSink(openLogFiles(directory, options.name), place, TRACE_LEVEL);
  }
  if (terminalLevel !== "silent") {
    const format = terminalFormat === "pretty" ? { format: prettyFactory(PRETTY) } : {};
    const place = { fields: { log: "terminal" }, notices: noticesTo(() => files), ...format };
    terminal = addSink(openTerminal(STANDARD_OUTPUT), place, pino.levels.values[terminalLevel] ?? TRACE_LEVEL);
  }
  const logger =
    sinks.length === 0
      ? pino({ ...settings, enabled: false })
      : pino({ ...settings, level: options.level }, distributeLines(sinks));
  return { logger, say };
}

/**
 * The log of a process, by its settings. `secrets` are values to redact besides those of the common settings. Reports
 * a `LOG_DIR` that cannot be used, and exits.
 */
export function createProcessLogOrExit(config: CommonConfig, name: string, secrets: readonly string[]): ProcessLog {
  const directory = config.LOG_DIR === "off" ? null : config.LOG_DIR;
  if (directory !== null) {
    exitOnConfigError(() => assertLogDirectory(directory));
    removeOldLogFiles(directory, Date.now());
  }
  return createProcessLog({
    name,
    level: config.LOG_LEVEL,
    terminalLevel: config.TERMINAL_LOG_LEVEL ?? config.LOG_LEVEL,
    terminalFormat: config.TERMINAL_LOG_FORMAT ?? (process.stdout.isTTY ? "pretty" : "json"),
    directory,
    secrets: [
      ...secretsOfTopology(config.REDIS_URL),
      ...secretsOfDatabaseUrl(config.DATABASE_URL),
      ...[config.CHROMA_TOKEN ?? []].flat(),
      ...secrets,
    ],
  });
}
