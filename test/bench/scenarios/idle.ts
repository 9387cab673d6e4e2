/**
 * The memory of an open stream without events: resident memory with 2,500 chats that wait for a silent model, compared
 * with 500 such chats. The difference excludes memory that a process takes once, such as compiled code.
 */
import { setTimeout as delay } from "node:timers/promises";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { modelControl } from "../../../scripts/model-server/client.ts";
import { waitFor } from "../../support/wait-for.ts";
import type { ChatFindings } from "../client/load.ts";
import { type LoadClient, startLoadClient } from "../client/load-client.ts";
import { type ByRole, residentByRole } from "../measure/usage.ts";
import { startStreamingSystem } from "../systems/index.ts";
import { WARM_UP } from "./measure-streams.ts";
import type { Scenario } from "./scenario.ts";

const FEW = 500;
const MANY = 2_500;
const SILENT_MS = 100 * SECOND;
/** Longer than `SILENT_MS`, so that the product does not fail chats whose model is silent. */
const PATIENCE = { MODEL_FIRST_TOKEN_TIMEOUT_MS: String(4 * MINUTE) };
/** Time for garbage of the opening to be collected: an idle process collects about every eight seconds. */
const SETTLE_MS = 30 * SECOND;
const OPEN_WITHIN_MS = 20 * SECOND;
const BYTES_PER_KIB = 1_024;

export const IDLE_SCENARIO: Scenario = {
  name: "idle",
  about: `resident memory of each further stream that waits for a silent model, from ${FEW} to ${MANY}`,
  systems: ["direct", "floor", "ours"],
  inQuick: false,
  once: true,
  async measure(name, context) {
    const system = await startStreamingSystem(name, context, PATIENCE);
    const others = await startLoadClient();
    const { stats } = modelControl(context.model.origin);
    const wait = (load: LoadClient, clients: number) =>
      load.chats({
        target: system.target,
        ...{ clients, chatsPerClient: 1, tokens: 1, rate: null, silentMs: SILENT_MS, rampMs: (clients / FEW) * SECOND },
      });
    const residentWith = async (streams: number): Promise<ByRole> => {
      const allOpen = async () => (await stats()).open_streams === streams;
      await waitFor(`${streams} open streams`, allOpen, OPEN_WITHIN_MS);
      await delay(SETTLE_MS);
      return residentByRole(system.processes);
    };
    const waiting: Promise<ChatFindings>[] = [];
    try {
      for (const load of WARM_UP) await context.load.chats({ ...load, target: system.target });
      waiting.push(wait(context.load, FEW));
      const few = await residentWith(FEW);
      waiting.push(wait(others, MANY - FEW));
      const many = await residentWith(MANY);
      const found = await Promise.all(waiting);
      const perStream = (role: keyof ByRole) => (many[role] - few[role]) / BYTES_PER_KIB / (MANY - FEW);
      return {
        apiKiBPerStream: perStream("api"),
        workerKiBPerStream: perStream("worker"),
        redisKiBPerStream: perStream("redis"),
        failures: found.reduce((sum, { failures }) => sum + failures, 0),
      };
    } finally {
      await system.stop();
      await Promise.allSettled(waiting);
      others.stop();
    }
  },
};
