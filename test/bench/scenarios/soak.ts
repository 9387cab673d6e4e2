/**
 * Chats without a pause: how memory develops over time. An hour is scaled down to minutes, and so is the time for which
 * Redis keeps the logs of ended jobs: a few seconds instead of an hour, so that Redis reaches its steady state too.
 */
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { median } from "../measure/statistics.ts";
import { BYTES_PER_MIB, type Role, residentByRole } from "../measure/usage.ts";
import { startOurs } from "../systems/ours.ts";
import type { Scenario } from "./scenario.ts";

const LOG_TTL_SECONDS = 5;
const SAMPLE_EVERY_MS = SECOND;
/** Repeated until the time is up. */
const PORTION = { clients: 32, chatsPerClient: 5, tokens: 200, rate: null, rampMs: 0 };
const ROLES = ["api", "worker", "redis"] as const satisfies readonly Role[];

export const SOAK_SCENARIO: Scenario = {
  name: "soak",
  about: "32 chats at a time as fast as possible for minutes: resident memory, its last third against its middle third",
  systems: ["ours"],
  inQuick: false,
  once: true,
  async measure(_system, context) {
    const env = { EVENT_LOG_TTL_SECONDS: String(LOG_TTL_SECONDS) };
    const ours = await startOurs({ ...context, modelOrigin: context.model.origin, env });
    const samples: Record<Role, number>[] = [];
    const timer = setInterval(() => samples.push(residentByRole(ours.processes)), SAMPLE_EVERY_MS);
    try {
      let [chats, failures] = [0, 0];
      const endsAt = performance.now() + context.soakMinutes * MINUTE;
      while (performance.now() < endsAt) {
        const found = await context.load.chats({ ...PORTION, target: ours.target });
        chats += found.chats;
        failures += found.failures + found.missing + found.doubled + found.misplaced;
      }
      const third = Math.floor(samples.length / 3);
      const figures: Record<string, number> = { chats, failures };
      for (const role of ROLES) {
        const [middle, last] = [samples.slice(third, 2 * third), samples.slice(-third)].map((part) =>
          median(part.map((sample) => sample[role] / BYTES_PER_MIB)),
        );
        figures[`${role}MiB`] = last ?? Number.NaN;
        figures[`${role}Growth`] = (last ?? Number.NaN) / (middle ?? Number.NaN);
      }
      return figures;
    } finally {
      clearInterval(timer);
      await ours.stop();
    }
  },
};
