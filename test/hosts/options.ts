/** The command line of `npm run hosts`. */
import { parseArgs } from "node:util";
import { readNumber } from "../chaos/options.ts";
import { ROUNDS, type Round } from "./rounds.ts";

export type HostsOptions = {
  readonly rounds: readonly Round[];
  /** How many of each are in flight when a link goes down. */
  readonly chats: number;
  readonly executeJobs: number;
  /** Determines the questions. */
  readonly seed: number;
  /** Also keeps the folder of a run that passed. */
  readonly keep: boolean;
};

export const USAGE = `npm run hosts -- [--only ROUND,…] [--chats N] [--jobs N] [--seed N] [--keep]
${ROUNDS.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join("\n")}`;

export function readOptions(args: readonly string[]): HostsOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      chats: { type: "string", default: "300" },
      jobs: { type: "string", default: "100" },
      seed: { type: "string", default: "1" },
      keep: { type: "boolean", default: false },
    },
  });
  const names = values.only?.split(",");
  const unknown = names?.filter((name) => !ROUNDS.some((round) => round.name === name)) ?? [];
  if (unknown.length > 0) throw new Error(`--only: there is no round '${unknown.join("', '")}'`);
  return {
    rounds: ROUNDS.filter(({ name }) => names?.includes(name) ?? true),
    chats: readNumber("chats", values.chats),
    executeJobs: readNumber("jobs", values.jobs),
    seed: readNumber("seed", values.seed),
    keep: values.keep,
  };
}
