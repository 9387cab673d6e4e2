/** The command line of `npm run chaos`. */
import { parseArgs } from "node:util";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { type DatabaseKind, readDatabaseKind } from "../support/database-kind.ts";

export type ChaosOptions = {
  readonly scenario: string;
  readonly database: DatabaseKind;
  /** Determines the questions, the faults and their order, but not the timing of the processes. */
  readonly seed: number;
  /** How often the scenario repeats its fault or action; null: its default number. */
  readonly times: number | null;
  /** Number of concurrent clients, each with one job. */
  readonly atOnce: number;
  /** Length of the scenario `mixed`, ms. */
  readonly lengthMs: number;
  /** How long Redis, the database, the logs or a link stay away, ms. */
  readonly outageMs: number;
  /** One server, a master with replicas and Sentinels, or a cluster. */
  readonly redis: RedisKind;
  /** `ACCEPT_MIN_REPLICAS`. With 0, accepted jobs may be lost where a master dies. */
  readonly minReplicas: number;
  /** Also keeps the folder of a run that passed. */
  readonly keep: boolean;
};

export const USAGE = `npm run chaos -- [--scenario NAME] [--seed N] [--minutes M] [--times N] [--at-once N]
                 [--outage SECONDS] [--database sqlite|postgres]
                 [--redis single|sentinel|cluster] [--min-replicas N] [--keep]`;

const REDIS_KINDS = ["single", "sentinel", "cluster"] as const;
export type RedisKind = (typeof REDIS_KINDS)[number];

export function readOptions(args: readonly string[]): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: "string" },
      redis: { type: "string", default: "single" },
      "min-replicas": { type: "string" },
      seed: { type: "string" },
      minutes: { type: "string", default: "20" },
      times: { type: "string" },
      "at-once": { type: "string", default: "50" },
      outage: { type: "string", default: "30" },
      database: { type: "string", default: "sqlite" },
      keep: { type: "boolean", default: false },
    },
  });
  const redis = REDIS_KINDS.find((kind) => kind === values.redis);
  if (redis === undefined) throw new Error(`--redis: '${values.redis}' is none of ${REDIS_KINDS.join(", ")}`);
  return {
    database: readDatabaseKind(values.database),
    scenario: values.scenario ?? (redis === "single" ? "mixed" : "failovers"),
    redis,
    minReplicas: readNumber("min-replicas", values["min-replicas"] ?? (redis === "single" ? "0" : "1")),
    seed: values.seed === undefined ? Date.now() % 1_000_000 : readNumber("seed", values.seed),
    times: values.times === undefined ? null : readNumber("times", values.times),
    atOnce: readNumber("at-once", values["at-once"]),
    lengthMs: readNumber("minutes", values.minutes) * MINUTE,
    outageMs: readNumber("outage", values.outage) * SECOND,
    keep: values.keep,
  };
}

export function readNumber(name: string, text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !Number.isFinite(number) || number < 0)
    throw new Error(`--${name}: '${text}' is not a number`);
  return number;
}
