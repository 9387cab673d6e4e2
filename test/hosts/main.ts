/** `npm run hosts`: an installation on three hosts, whose links go down. Fails if anything is lost or doubled. */
import { constants } from "node:os";
import { ChildError } from "../../scripts/services/child.ts";
import { isInOwnNetwork, restartInOwnNetwork } from "../support/own-network.ts";
import { hostsProblem } from "./network.ts";
import { type HostsOptions, readOptions, USAGE } from "./options.ts";
import { findRedis } from "./platform.ts";
import { runHosts } from "./run.ts";

const WRONG_USE = 2;

function end(code: number, ...lines: string[]): never {
  console.error(lines.join("\n"));
  process.exit(code);
}

if (process.argv.includes("--help")) {
  console.log(USAGE);
  process.exit(0);
}

let options: HostsOptions;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  end(WRONG_USE, (error as Error).message, USAGE);
}

if (!isInOwnNetwork) {
  const problem = hostsProblem();
  if (problem !== undefined) end(WRONG_USE, `npm run hosts cannot run here: ${problem}`);
  await findRedis();
  restartInOwnNetwork({ hosts: true });
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

class Interruption extends Error {
  readonly exitCode: number;

  constructor(signal: (typeof SIGNALS)[number]) {
    super(`interrupted by ${signal}; everything is stopped and removed`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

const interrupted = new Promise<never>((_, reject) => {
  for (const signal of SIGNALS) process.once(signal, () => reject(new Interruption(signal)));
});
// While the platform starts, nobody waits for it yet.
interrupted.catch(() => {});

try {
  const { passed, text } = await runHosts(options, console.error, interrupted);
  console.log(text);
  process.exit(passed ? 0 : 1);
} catch (error) {
  if (error instanceof Interruption) end(error.exitCode, error.message);
  const lines = error instanceof ChildError ? error.lastLines : [];
  end(1, String(error instanceof Error ? error.stack : error), ...lines);
}
