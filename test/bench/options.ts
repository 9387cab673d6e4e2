/** The command line of `npm run bench`. */
import { parseArgs } from "node:util";
import { type DatabaseKind, readDatabaseKind } from "../support/database-kind.ts";

export type BenchOptions = {
  /** One round with shorter loads and only the scenarios that fit into three minutes. */
  readonly quick: boolean;
  /** Names of scenarios, or the part of a name before its first hyphen; null: all. */
  readonly only: readonly string[] | null;
  readonly systems: readonly string[] | null;
  /** Whether the product on PostgreSQL is measured as well, beside the one on SQLite. */
  readonly database: DatabaseKind;
  /** Whether the product on a Redis Cluster is measured as well, beside the one on a single server. */
  readonly redis: RedisKind;
  readonly rounds: number;
  /** Number of workers of `ours` in scenarios that do not set it. */
  readonly workers: number;
  /** Length of the scenario `soak`. */
  readonly soakMinutes: number;
  /** Folder for CPU profiles of the server processes; undefined: no profiles. */
  readonly cpuProfDir: string | undefined;
};

export const USAGE = `npm run bench -- [--quick] [--only SCENARIO,...] [--systems ours,direct,floor,model,...]
                 [--rounds N] [--workers N] [--soak-minutes N] [--cpu-prof DIR]
                 [--database sqlite|postgres] [--redis single|cluster]
npm run bench -- --pages      writes the newest full results into docs/performance.md and measures nothing`;

const REDIS_KINDS = ["single", "cluster"] as const;
type RedisKind = (typeof REDIS_KINDS)[number];

const ROUNDS = { full: 3, quick: 1 };

export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      systems: { type: "string" },
      rounds: { type: "string" },
      workers: { type: "string", default: "2" },
      "soak-minutes": { type: "string", default: "2" },
      database: { type: "string", default: "sqlite" },
      redis: { type: "string", default: "single" },
      "cpu-prof": { type: "string" },
    },
  });
  const { quick, rounds = String(quick ? ROUNDS.quick : ROUNDS.full) } = values;
  return {
    quick,
    only: values.only?.split(",") ?? null,
    systems: values.systems?.split(",") ?? null,
    database: readDatabaseKind(values.database),
    redis: readRedisKind(values.redis),
    rounds: readCount("rounds", rounds),
    workers: readCount("workers", values.workers),
    soakMinutes: readCount("soak-minutes", values["soak-minutes"]),
    cpuProfDir: values["cpu-prof"],
  };
}

function readRedisKind(text: string): RedisKind {
  const kind = REDIS_KINDS.find((known) => known === text);
  if (kind === undefined) throw new Error(`--redis: '${text}' is none of ${REDIS_KINDS.join(", ")}`);
  return kind;
}

function readCount(name: string, text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new Error(`--${name}: '${text}' is not a whole number from 1`);
  return count;
}
