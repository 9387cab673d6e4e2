/**
 * A process reads its settings once, when it starts, from the environment that its entry file passes. Invalid values
 * stop it with one error that names every invalid variable.
 */
import { z } from "zod";
import { sayOnStandardError } from "../standard-output.ts";

export class ConfigError extends Error {
  constructor(problems: readonly string[]) {
    super(`The configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    this.name = "ConfigError";
  }
}

/**
 * Throws a `ConfigError`. An empty variable counts as not set, because compose files pass variables that are not set as
 * empty ones.
 */
export function readConfig<S extends z.ZodType>(schema: S, env: NodeJS.ProcessEnv): z.output<S> {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = schema.safeParse(set);
  if (parsed.success) return parsed.data;
  throw new ConfigError(
    parsed.error.issues.map(({ path, message }) => {
      const name = path.join(".");
      return path.length === 1 && !Object.hasOwn(set, name) ? `${name} is not set` : `${name || "?"}: ${message}`;
    }),
  );
}

/** For entry files: reports invalid settings on standard error, without a stack, and exits with code 1. */
export const readConfigOrExit = <S extends z.ZodType>(schema: S, env: NodeJS.ProcessEnv): z.output<S> =>
  exitOnConfigError(() => readConfig(schema, env));

export function exitOnConfigError<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    sayOnStandardError(`${error.message}\n`);
    process.exit(1);
  }
}

/** Reads a whole number from `min` to `max`. */
export const intFromEnv = (min: number, max: number, fallback: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback);

/** Reads a comma-separated list. Default: an empty list. */
export const listFromEnv = z
  .string()
  .default("")
  .transform((text) =>
    text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  );

/** Reads a JSON text; what it must hold is piped behind. */
export const jsonFromEnv = z.string().transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue("expected JSON");
    return z.NEVER;
  }
});
