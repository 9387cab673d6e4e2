/** One round: jobs in flight on both APIs, a link that is taken away and comes back, and the proof that all work on. */
import { setTimeout as delay } from "node:timers/promises";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { type Api, type Client, createClient, type JobRequest } from "../chaos/client.ts";
import { lastIdOf } from "../chaos/connection.ts";
import { startLoad } from "../chaos/load.ts";
import { makeQuestion } from "../chaos/question.ts";
import { readRows } from "../chaos/read-rows.ts";
import { withReplays } from "../chaos/scenarios/scenario.ts";
import type { Fault, RunRecord, Transcript } from "../chaos/transcript.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { waitFor } from "../support/wait-for.ts";
import type { HostsOptions } from "./options.ts";
import type { Platform } from "./platform.ts";
import type { Played } from "./report.ts";
import type { Round } from "./rounds.ts";

/** Answers of 40 to 60 s; a word has some three tokens. */
const WORDS = [70, 100] as const;
const TOKENS_PER_SECOND = 6;

const IN_FLIGHT_WITHIN_MS = MINUTE;
/** Each API and each worker that was cut off works again within this time. */
export const BACK_WITHIN_MS = 20 * SECOND;
/** So many chats at once reach every worker. */
const CHATS_AT_ONCE = 12;

export type RoundContext = {
  readonly options: HostsOptions;
  readonly platform: Platform;
  readonly record: RunRecord;
  readonly progress: (line: string) => void;
};

export async function playRound(round: Round, context: RoundContext): Promise<Played> {
  const { options, platform, record, progress } = context;
  const { hosts } = platform;
  const count = options.chats + options.executeJobs;
  const note = (kind: Fault["kind"]) =>
    record.write({ type: "fault", value: { at: Date.now(), kind, target: `host ${round.host}`, detail: round.how } });

  const client = createClient(platform, 2 * MINUTE);
  const requestOf = withReplays(requests(round, context));
  const begun: Transcript[] = [];
  const onAccepted = (transcript: Transcript) => void begun.push(transcript);
  const load = startLoad({
    ...{ client, record, atOnce: count, limit: count },
    requestOf: (no) => ({ ...requestOf(no), onAccepted }),
  });
  // Each client has received the first event of its job's first run.
  async function isInFlight(): Promise<boolean> {
    // A look reads all that the clients have received.
    await delay(SECOND / 2);
    return begun.filter(({ connections }) => lastIdOf(connections) > 0).length === count;
  }
  await waitFor(`${count} jobs in flight`, isInFlight, IN_FLIGHT_WITHIN_MS);

  progress(`${round.name}: ${count} jobs in flight; ${round.about}`);
  note("silence");
  hosts[round.host].cut(round.how);
  try {
    await (round.awayMs === null ? load.finished : delay(round.awayMs));
  } finally {
    hosts[round.host].heal();
  }
  note("heal");
  const healedAt = performance.now();
  const back = platform.apis.map((api) => apiBack(round, context, api, healedAt));
  const apisBackMs = Math.max(...(await Promise.all(back)));
  const workersBackMs = await workersBack(round, context, client, healedAt);
  await load.finished;
  return { round, jobs: count, apisBackMs, workersBackMs };
}

function requests({ name }: Round, { options, platform: { effectsFile } }: RoundContext): (no: number) => JobRequest {
  return (no) => {
    const random = seededRandom(options.seed * 1_000_003 + no);
    const shape = {
      words: random.int(...WORDS),
      rate: TOKENS_PER_SECOND,
      effectsFile: no % 3 === 0 ? effectsFile : null,
    };
    const question = makeQuestion({ label: `${name}-${no}`, ...shape }, random);
    return { question, kind: no < options.chats ? "chat" : "execute", reads: "stream", cuts: [], api: no % 2 };
  };
}

/** Asks a short chat that only this API can answer. */
async function apiBack(
  { name }: Round,
  { record, options }: RoundContext,
  api: Api,
  healedAt: number,
): Promise<number> {
  await askBriefly(createClient({ apis: [api] }), record, `${name}-back-${api.name}`, options.seed);
  const ms = performance.now() - healedAt;
  record.write({ type: "timing", value: { what: "link", ms } });
  return ms;
}

/** Asks short chats until each worker that was cut off has completed one. */
async function workersBack(
  { name, host }: Round,
  { platform, record, options }: RoundContext,
  client: Client,
  healedAt: number,
): Promise<number | null> {
  const away = platform.workers
    .map((worker) => worker.name)
    .filter((worker) => host === "a" || worker.startsWith(host));
  for (let asked = 0; performance.now() - healedAt < BACK_WITHIN_MS; asked += CHATS_AT_ONCE) {
    const numbers = Array.from({ length: CHATS_AT_ONCE }, (_, at) => asked + at);
    await Promise.all(numbers.map((no) => askBriefly(client, record, `${name}-again-${no}`, options.seed, no)));
    const rows = await readRows<{ worker: string }>(
      platform.databaseUrl,
      `select distinct worker from agent_logs where status = 'completed' and task like '${name}-again-%'`,
    );
    if (away.every((worker) => rows.some((row) => row.worker.startsWith(worker)))) return performance.now() - healedAt;
  }
  return null;
}

async function askBriefly(client: Client, record: RunRecord, label: string, seed: number, api = 0): Promise<void> {
  const question = makeQuestion({ label, words: 3, rate: 0, effectsFile: null }, seededRandom(seed));
  const transcript = await client.ask({ question, kind: "chat", reads: "stream", cuts: [], api });
  record.write({ type: "transcript", value: transcript });
}
