/**
 * Settings are read once, at start, into a type without optionals. Only a `main.ts` hands in `process.env`; a bad
 * value stops the process with one error that names every bad variable.
 */
import { z } from "zod";

export class ConfigError extends Error {
  constructor(problems: readonly string[]) {
    super(`The configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    this.name = "ConfigError";
  }
}

/** A variable that is set to nothing counts as not set, as compose files and `.env` files write it. */
export function readConfig<S extends z.ZodType>(schema: S, env: NodeJS.ProcessEnv): z.output<S> {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = schema.safeParse(set);
  if (parsed.success) return parsed.data;
  throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join(".") || "?"}: ${issue.message}`));
}

/** For a process's entry: a bad configuration is said on standard error, without a stack, and ends the process. */
export function readConfigOrExit<S extends z.ZodType>(schema: S, env: NodeJS.ProcessEnv): z.output<S> {
  try {
    return readConfig(schema, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

/** A whole number of milliseconds, counts and the like, from its text. */
export const intFromEnv = (min: number, max: number, fallback: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback);

/** The parts of a comma-separated text; none by default. */
export const listFromEnv = z
  .string()
  .default("")
  .transform((text) =>
    text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  );
