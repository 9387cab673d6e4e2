/**
 * The options of `npm start`: flags win over the environment, the environment over the defaults. They are resolved
 * once, and one error names all mistakes.
 */
import { totalmem } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { LOOPBACK } from "../services/ports.ts";

export const HELP = `npm start [-- options]: everything on this machine, until Ctrl-C

  --port N      the API's port; 0 takes a free one        (default: PORT, else 8000)
  --workers N   how many worker processes, 1 to 64        (default: 2)
  --watch       loads the agents of AGENTS_DIR anew when they change; no job is lost
  --help        this text

From the environment or the file .env: HOST, PORT, DATA_DIR, LOG_DIR, API_KEYS, OPENAI_API_KEY, OPENAI_BASE_URL,
LLM_MODEL, AGENTS_DIR, REDIS_MAXMEMORY_MB; REDIS_URL, CHROMA_URL and DATABASE_URL replace what is started here.`;

export class UsageError extends Error {
  override readonly name = "UsageError";
}

export type StartOptions = {
  readonly help: boolean;
  readonly host: string;
  /** 0 stands for a free one. */
  readonly port: number;
  readonly workers: number;
  readonly dataDir: string;
  /** Undefined: LOG_DIR=off, no log files. */
  readonly logDir: string | undefined;
  readonly databaseUrl: string;
  /** The folder of agents that is watched for changes; undefined: none is. */
  readonly watch: string | undefined;
  /** Undefined: the embedded Redis is started. */
  readonly redisUrl: string | undefined;
  /** The `maxmemory` of the embedded Redis. */
  readonly redisMaxMemoryBytes: number;
  /** Undefined: the embedded Chroma is started. */
  readonly chromaUrl: string | undefined;
  /** Undefined: the local test model answers. A base URL alone names a model that needs no key. */
  readonly model: { readonly apiKey: string; readonly where: string } | undefined;
  /** Undefined: a key is made and stored. */
  readonly apiKeys: string | undefined;
  /** On a stop, how long running work may continue in the API, and after that in the workers. */
  readonly graceMs: number;
};

const MIB = 1_024 * 1_024;

/**
 * A quarter of the machine's memory, between 256 MiB and 2 GiB. Without a limit, jobs that nobody works off take the
 * memory of the machine, and the kernel ends whatever process it likes.
 */
const defaultRedisMemory = (machineBytes: number): number =>
  Math.min(2_048 * MIB, Math.max(256 * MIB, Math.floor(machineBytes / 4)));

const DEFAULTS = { port: "8000", workers: "2", graceMs: "3000" };

export function resolveOptions(argv: readonly string[], env: NodeJS.ProcessEnv, root: string): StartOptions {
  assertSeparator(env);
  const flags = parseFlags(argv);
  const mistakes: string[] = [];
  const whole = (name: string, text: string, least: number, most: number): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    mistakes.push(`${name} must be a whole number from ${least} to ${most}, not "${text}"`);
    return least;
  };
  // An empty variable, as compose files and .env examples produce, counts as unset.
  const text = (name: string) => env[name] || undefined;
  const agentsDir = text("AGENTS_DIR");
  if (flags.watch && agentsDir === undefined) mistakes.push("--watch needs AGENTS_DIR, the folder of your agents");
  const dataDir = resolve(root, text("DATA_DIR") ?? "data");
  const options: StartOptions = {
    help: flags.help ?? false,
    host: text("HOST") ?? LOOPBACK,
    port: whole(flags.port === undefined ? "PORT" : "--port", flags.port ?? text("PORT") ?? DEFAULTS.port, 0, 65_535),
    workers: whole("--workers", flags.workers ?? DEFAULTS.workers, 1, 64),
    dataDir,
    logDir: text("LOG_DIR") === "off" ? undefined : resolve(root, text("LOG_DIR") ?? "logs"),
    databaseUrl: text("DATABASE_URL") ?? resolve(dataDir, "agent-paas.db"),
    watch: flags.watch && agentsDir !== undefined ? resolve(root, agentsDir) : undefined,
    redisUrl: text("REDIS_URL"),
    redisMaxMemoryBytes:
      text("REDIS_MAXMEMORY_MB") === undefined
        ? defaultRedisMemory(totalmem())
        : whole("REDIS_MAXMEMORY_MB", text("REDIS_MAXMEMORY_MB") ?? "", 16, 1_048_576) * MIB,
    chromaUrl: text("CHROMA_URL"),
    model: ownModel(text("OPENAI_API_KEY"), text("OPENAI_BASE_URL"), text("LLM_MODEL")),
    apiKeys: text("API_KEYS"),
    graceMs: whole("SHUTDOWN_GRACE_MS", text("SHUTDOWN_GRACE_MS") ?? DEFAULTS.graceMs, 0, 3_600_000),
  };
  if (mistakes.length > 0) throw new UsageError(mistakes.join("\n"));
  return options;
}

function ownModel(apiKey?: string, baseUrl?: string, name?: string): StartOptions["model"] {
  if (apiKey === undefined && baseUrl === undefined) return undefined;
  return {
    apiKey: apiKey ?? "none",
    where: [name ?? "the default model", baseUrl && `at ${baseUrl}`].filter(Boolean).join(" "),
  };
}

/** Without `--` npm takes the options as its own and reports nothing. */
function assertSeparator(env: NodeJS.ProcessEnv): void {
  const swallowed = ["port", "workers", "watch"].filter((name) => env[`npm_config_${name}`] !== undefined);
  if (swallowed.length === 0) return;
  throw new UsageError("Put -- before the options, or npm keeps them: npm start -- --port 8001 --workers 4");
}

function parseFlags(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        ...{ port: { type: "string" }, workers: { type: "string" }, watch: { type: "boolean" } },
        help: { type: "boolean", short: "h" },
      },
      strict: true,
    });
    return values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nSee npm start -- --help`);
  }
}
