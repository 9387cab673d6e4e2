/** Scenarios of streamed chats: every system is started fresh, warmed up and put under the same load. */
import { SECOND } from "@agent-paas/shared/time.ts";
import { measureStreams, type StreamLoad } from "./measure-streams.ts";
import type { Scenario, SystemName } from "./scenario.ts";

/** Rate at which streams begin in scenarios that do not begin all at once. */
const CHATS_BEGUN_PER_SECOND = 250;

const oneByOne = (chats: number): StreamLoad => ({
  ...{ clients: 1, chatsPerClient: chats, tokens: 20, rate: null, rampMs: 0 },
});

const atOnce = (clients: number, rate: number, seconds: number): StreamLoad => ({
  ...{ clients, chatsPerClient: 1, tokens: rate * seconds, rate, rampMs: 0 },
});

const paced = (clients: number, rate: number, seconds: number): StreamLoad => ({
  ...atOnce(clients, rate, seconds),
  rampMs: (clients / CHATS_BEGUN_PER_SECOND) * SECOND,
});

const fast = (chats: number): StreamLoad => ({
  ...{ clients: 32, chatsPerClient: chats, tokens: 200, rate: null, rampMs: 0 },
});

export const STREAM_SCENARIOS: readonly Scenario[] = [
  streams("single", "one chat at a time, 20 tokens", { full: oneByOne(300), quick: oneByOne(200) }),
  streams("s50", "50 streams × 50 tokens/s", { full: paced(50, 50, 15), quick: paced(50, 50, 4) }),
  streams("s500", "500 streams × 20 tokens/s", { full: paced(500, 20, 20), quick: paced(500, 20, 6) }, [
    "floor-2",
    "ours-openai",
  ]),
  streams("s2000", "2000 streams × 20 tokens/s, all begun at once", { full: atOnce(2_000, 20, 20) }),
  streams("fast", "32 chats at a time as fast as possible, 200 tokens", { full: fast(40), quick: fast(12) }, [
    "ours-openai",
  ]),
];

function streams(
  name: string,
  about: string,
  loads: { full: StreamLoad; quick?: StreamLoad },
  further: readonly SystemName[] = [],
): Scenario {
  return {
    name,
    about,
    systems: ["model", "direct", "floor", ...further, "ours-1", "ours", "ours-pg", "ours-cluster"],
    inQuick: loads.quick !== undefined,
    measure: (system, context) => measureStreams(system, context, (context.quick && loads.quick) || loads.full),
  };
}
