/** One run: starts the platform, plays the rounds, and lets the checker of the chaos runs evaluate all of it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { modelControl } from "../../scripts/model-server/client.ts";
import { check } from "../chaos/checker.ts";
import { gatherEvidence } from "../chaos/evidence.ts";
import { settle } from "../chaos/settle.ts";
import { evaluate, type Verdict } from "../chaos/table.ts";
import { openRunRecord } from "../chaos/transcript.ts";
import { watchExits } from "../chaos/watch-exits.ts";
import { waitFor } from "../support/wait-for.ts";
import type { HostsOptions } from "./options.ts";
import { type Platform, startPlatform } from "./platform.ts";
import { BACK_WITHIN_MS, playRound } from "./play-round.ts";
import { countRound, formatRounds, type Played } from "./report.ts";

const SETTLE_WITHIN_MS = MINUTE;
/** The pauses of TCP grow up to two minutes. */
const MODEL_SETTLES_WITHIN_MS = 3 * MINUTE;

/** Rejects when `interrupted` does. Whatever happens, nothing runs any more when it settles. */
export async function runHosts(
  options: HostsOptions,
  progress: (line: string) => void,
  interrupted: Promise<never>,
): Promise<Verdict> {
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-hosts-"));
  let keeps = options.keep;
  try {
    const platform = await startPlatform(dir);
    try {
      const verdict = await Promise.race([play(options, platform, progress), interrupted]);
      keeps ||= !verdict.passed;
      return verdict;
    } finally {
      await platform.stop();
    }
  } finally {
    if (keeps) progress(`the run record and the logs are kept in ${dir}`);
    else await rm(dir, { recursive: true, force: true });
  }
}

/** What the model still sends to workers that have left meanwhile, its host learns when it tries again. */
async function modelSettled({ modelOrigin }: Platform): Promise<void> {
  const control = modelControl(modelOrigin);
  async function isIdle(): Promise<boolean> {
    await delay(SECOND);
    return (await control.stats()).open_streams === 0;
  }
  await waitFor("the model to have no open streams", isIdle, MODEL_SETTLES_WITHIN_MS).catch(() => {});
}

async function play(options: HostsOptions, platform: Platform, progress: (line: string) => void): Promise<Verdict> {
  const record = openRunRecord(platform.dir);
  const exits = watchExits((value) => record.write({ type: "incident", value }));
  for (const started of [...platform.apis, ...platform.workers]) exits.watch(started);
  const played: Played[] = [];
  try {
    for (const round of options.rounds) played.push(await playRound(round, { options, platform, record, progress }));
    await settle(platform, SETTLE_WITHIN_MS);
    await modelSettled(platform);
  } finally {
    exits.end();
  }
  const evidence = await gatherEvidence(platform);
  const findings = check(evidence);
  const counts = played.map((one) => countRound(one, evidence, findings));
  const { passed, text } = evaluate("All rounds together", findings, {
    "link recovery": { share: 1, withinMs: BACK_WITHIN_MS },
  });
  return {
    passed: passed && counts.every(({ problems }) => problems.length === 0),
    text: `${formatRounds(counts)}\n\n${text}`,
  };
}
