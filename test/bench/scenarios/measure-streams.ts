/** One measurement of streamed chats: a fresh system, a warm-up, then one load. */
import { SECOND } from "@agent-paas/shared/time.ts";
import type { ChatFindings, ChatLoad } from "../client/load.ts";
import { startCpuClockOf, sumOf, type Usage, withUsage } from "../measure/usage.ts";
import { startStreamingSystem } from "../systems/index.ts";
import type { BenchContext, Figures, SystemName } from "./scenario.ts";

export type StreamLoad = Omit<ChatLoad, "kind" | "target">;

/**
 * Many tokens and many chats, so that the hot functions are compiled before the measurement, also where two workers
 * share them. The same for every system.
 */
export const WARM_UP: readonly StreamLoad[] = [
  { clients: 32, chatsPerClient: 8, tokens: 200, rate: null, rampMs: 0 },
  { clients: 1, chatsPerClient: 100, tokens: 20, rate: null, rampMs: 0 },
];

/** Between the two moments every chat streams. `cpuUs` is the CPU time so far, in µs. */
type Moments = { [Phase in "steady" | "ending"]?: { readonly cpuUs: number; readonly tokens: number } };

export async function measureStreams(
  name: SystemName,
  context: BenchContext,
  load: StreamLoad,
  warmUp = WARM_UP,
): Promise<Figures> {
  const { load: client, remark } = context;
  const system = await startStreamingSystem(name, context);
  try {
    const { target, processes } = system;
    for (const before of warmUp) await client.chats({ ...before, target });
    const moments: Moments = {};
    const nodes = processes.filter(({ role }) => role === "redis").map(({ pid }) => startCpuClockOf(pid));
    const [modelCpuUs, clientCpuUs] = [startCpuClockOf(context.model.pid), startCpuClockOf(client.pid)];
    const usage = await withUsage(processes, (cpuUs) =>
      client.chats({ ...load, target }, (phase, tokens) => {
        moments[phase] = { cpuUs: sumOf(cpuUs()), tokens };
      }),
    );
    const { result } = usage;
    const nodeCpuUs = nodes.map((cpuUs) => cpuUs());
    if (result.firstFailure !== null) remark(`${name}: ${result.failures} chats failed, ${result.firstFailure}`);
    return {
      ...(processes.length > 0 && costs(usage, result)),
      ...(nodes.length > 1 && costsOfNodes(nodeCpuUs, result)),
      ...(load.rate !== null && steadyFigures(moments, processes.length > 0, result)),
      firstTokenMsP50: result.firstTokenMs.p50,
      firstTokenMsP99: result.firstTokenMs.p99,
      lagMsP50: result.lagMs.p50,
      lagMsP99: result.lagMs.p99,
      lagMsMax: result.lagMs.max,
      tokensPerSecond: (result.tokens / result.wallMs) * SECOND,
      failures: result.failures,
      missing: result.missing + result.misplaced,
      doubled: result.doubled,
      restarts: result.restarts,
      modelUsPerToken: modelCpuUs() / result.tokens,
      clientUsPerToken: clientCpuUs() / result.tokens,
    };
  } finally {
    await system.stop();
  }
}

function costs({ cpuUs, peakMiB }: Usage<unknown>, { tokens, chats }: { tokens: number; chats: number }): Figures {
  return {
    cpuUsPerToken: sumOf(cpuUs) / tokens,
    apiUsPerToken: cpuUs.api / tokens,
    workerUsPerToken: cpuUs.worker / tokens,
    redisUsPerToken: cpuUs.redis / tokens,
    ...(cpuUs.database > 0 && { databaseUsPerToken: cpuUs.database / tokens }),
    cpuMsPerChat: sumOf(cpuUs) / SECOND / chats,
    peakMiB,
  };
}

/** Of each server of a cluster: the first three are its masters. */
const costsOfNodes = (cpuUs: readonly number[], { tokens }: { tokens: number }): Figures =>
  Object.fromEntries(cpuUs.map((us, at) => [`redisNode${at + 1}UsPerToken`, us / tokens]));

/** Figures of the time in which every chat streams, without the starts and ends of chats. */
function steadyFigures({ steady, ending }: Moments, hasCosts: boolean, { steadyLagMs }: ChatFindings): Figures {
  if (!steady || !ending || ending.tokens <= steady.tokens) return {};
  const cpuUs = (ending.cpuUs - steady.cpuUs) / (ending.tokens - steady.tokens);
  return { ...(hasCosts && { steadyUsPerToken: cpuUs }), steadyLagMsP99: steadyLagMs.p99 };
}
