/**
 * The cost of a turn (one user message and its answer) beside a lot of stored data: in a session of 10,000 messages
 * compared with one of 50, and in a database of a million messages compared with an empty one. Blocks of turns
 * alternate between the two, so that both are measured in the same state of the machine.
 */
import { openStorage } from "@agent-paas/shared/db/open-storage.ts";
import { seedSession } from "../../support/seed-session.ts";
import { median } from "../measure/statistics.ts";
import { sumOf, withUsage } from "../measure/usage.ts";
import { type Ours, OWNER, startOurs } from "../systems/ours.ts";
import type { BenchContext, Figures, Scenario } from "./scenario.ts";
import { seedMessages } from "./seed-messages.ts";

const TURNS_PER_BLOCK = 25;
const BLOCKS = { full: 8, quick: 3 };
/** Blocks on each side that are not counted. */
const WARM_UP_BLOCKS = 2;
const MESSAGES_PER_TURN = 2;
const MILLION = 1_000_000;

/** Where turns run: in the given session, or each in a new session. */
type Place = { readonly ours: Ours; readonly sessionId?: string };

export const TURN_SCENARIOS: readonly Scenario[] = [
  {
    name: "history",
    about: "a turn in a session of 10,000 messages, against one of 50",
    systems: ["ours"],
    inQuick: true,
    async measure(_system, context) {
      const ours = await startOurs({ ...context, modelOrigin: context.model.origin, workers: 1 });
      try {
        const storage = openStorage(ours.databaseUrl);
        const seed = (messages: number) => seedSession(storage, OWNER, messages / MESSAGES_PER_TURN);
        const [little, much] = [await seed(50), await seed(10_000)];
        await storage.close();
        return await compare({ ours, sessionId: little }, { ours, sessionId: much }, context);
      } finally {
        await ours.stop();
      }
    },
  },
  {
    name: "million",
    about: "a turn beside a million stored messages, against an empty database",
    systems: ["ours"],
    inQuick: false,
    once: true,
    async measure(_system, context) {
      const start = () => startOurs({ ...context, modelOrigin: context.model.origin, workers: 1 });
      const empty = await start();
      try {
        const full = await start();
        try {
          await seedMessages(full.databaseUrl, OWNER, MILLION);
          return await compare({ ours: empty }, { ours: full }, context);
        } finally {
          await full.stop();
        }
      } finally {
        await empty.stop();
      }
    },
  },
];

type Turns = { readonly cpuMs: number[]; readonly ms: number[]; failures: number };

async function compare(little: Place, much: Place, context: BenchContext): Promise<Figures> {
  const blocks = WARM_UP_BLOCKS + (context.quick ? BLOCKS.quick : BLOCKS.full);
  const measured = { little: newTurns(), much: newTurns() };
  for (let block = 0; block < blocks; block++) {
    for (const [name, place] of [["little", little] as const, ["much", much] as const]) {
      const turns = block < WARM_UP_BLOCKS ? newTurns() : measured[name];
      await askBlock(place, turns, context);
    }
  }
  const of = ({ cpuMs, ms }: Turns) => ({ cpuMs: median(cpuMs), ms: median(ms) });
  const [few, many] = [of(measured.little), of(measured.much)];
  return {
    littleCpuMsPerTurn: few.cpuMs,
    muchCpuMsPerTurn: many.cpuMs,
    turnCpuRatio: many.cpuMs / few.cpuMs,
    littleTurnMs: few.ms,
    muchTurnMs: many.ms,
    turnTimeRatio: many.ms / few.ms,
    failures: measured.little.failures + measured.much.failures,
  };
}

const newTurns = (): Turns => ({ cpuMs: [], ms: [], failures: 0 });

async function askBlock({ ours, sessionId }: Place, turns: Turns, { load }: BenchContext): Promise<void> {
  const { result, cpuUs } = await withUsage(ours.processes, () =>
    load.posts({
      port: ours.target.port,
      path: "/api/v1/chat/completions",
      body: {
        agent_type: "chat_basic",
        message: "[[tokens=20]] hi",
        ...(sessionId !== undefined && { session_id: sessionId }),
      },
      status: 200,
      clients: 1,
      requestsPerClient: TURNS_PER_BLOCK,
    }),
  );
  turns.cpuMs.push(sumOf(cpuUs) / 1_000 / TURNS_PER_BLOCK);
  turns.ms.push(result.answerMs.p50);
  turns.failures += result.failures;
}
