/** Faults that take away what the processes need, and give it back: room on a disk, a lock, packets, the right time. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { RestartableProcess } from "../../scripts/services/restartable-process.ts";
import { dropPackets, isInOwnNetwork } from "../support/own-network.ts";
import { waitFor } from "../support/wait-for.ts";
import type { Stack } from "./stack.ts";
import type { Links } from "./surroundings.ts";
import type { FaultKind } from "./transcript.ts";

/** Workers report that they cannot write after two seconds; a full disk may leave room in the write-ahead log. */
const NOTICED_WITHIN_MS = 60 * SECOND;
const LOGS_AGAIN_WITHIN_MS = 20 * SECOND;

/** The signal that sets a process' clock; see test/support/shifted-clock.ts. */
export const CLOCK_SIGNAL = "SIGUSR2";

/**
 * `existing`: the connections that exist swallow everything, new ones pass. `all`: new ones as well. `packets`: the
 * kernel drops every packet, where it may.
 */
export type Silence = "existing" | "all" | "packets";

/** Ends an outage. */
export type End = () => Promise<void>;

type Note = (kind: FaultKind, target: string, detail?: string) => void;

export function createOutages({ surroundings, apis, database }: Stack, note: Note) {
  const { disk, logs, links } = surroundings;

  const isReady = async ({ origin }: Stack["apis"][number]) =>
    (await fetch(`${origin}/readyz`, { signal: AbortSignal.timeout(5 * SECOND) })).status === 200;

  /** Resolves when every API refuses jobs because no worker can write. */
  const noticed = (again: () => Promise<void> = async () => {}) =>
    waitFor(
      "the APIs to say that nobody can write",
      async () => {
        await again();
        await delay(200);
        return (await Promise.all(apis.map(isReady))).every((ready) => !ready);
      },
      NOTICED_WITHIN_MS,
    );

  return {
    canFillDisk: disk !== null,

    async fillDisk(): Promise<End> {
      if (disk === null) throw new Error("the database is on no disk of its own");
      note("fill", "database");
      await disk.fill();
      // What SQLite frees meanwhile is filled as well.
      await noticed(disk.fill);
      return async () => {
        await disk.free();
        // A server ends when there is no room for its log.
        await database.server?.start();
        note("free", "database");
      };
    },

    /** Another process holds `BEGIN EXCLUSIVE`, or locks on all tables. */
    async lockDatabase(): Promise<End> {
      note("lock", "database");
      const lock = await database.lock();
      try {
        await noticed();
      } catch (error) {
        lock.kill();
        throw error;
      }
      return async () => {
        await lock.release();
        note("free", "database");
      };
    },

    async fillLogs(): Promise<End> {
      if (logs === null) throw new Error("the logs are in no folder of their own");
      note("fill", "logs");
      logs.fill();
      return async () => {
        const before = sizeOf(logs.path);
        logs.makeRoom();
        note("free", "logs");
        await waitFor("log lines to be written again", () => sizeOf(logs.path) > before, LOGS_AGAIN_WITHIN_MS);
      };
    },

    silence(names: readonly (keyof Links)[], how: Silence): End {
      if (links === null) throw new Error("the links are no proxies");
      note("silence", names.join(" and "), how);
      const chosen = names.map((name) => links[name]);
      const drops =
        how === "packets" && isInOwnNetwork ? chosen.map(({ url }) => dropPackets(Number(new URL(url).port))) : [];
      if (drops.length === 0) for (const link of chosen) link.silence({ alsoNew: how !== "existing" });
      return async () => {
        for (const end of drops) end();
        if (drops.length === 0) for (const link of chosen) link.admit();
        note("heal", names.join(" and "));
      };
    },

    setClock(target: RestartableProcess): void {
      note("set clock", target.name);
      target.signal(CLOCK_SIGNAL);
    },
  };
}

/** Of all files in the folder together; 0 while something is in its place. */
function sizeOf(dir: string): number {
  try {
    return readdirSync(dir).reduce((sum, file) => sum + statSync(join(dir, file)).size, 0);
  } catch {
    return 0;
  }
}
