/** All scenarios, by the name that `--scenario` takes. */

import { busyThread } from "./busy-thread.ts";
import { clock } from "./clock.ts";
import { crashPoints, databaseRestarts, redisKills, workerKills, zombies } from "./deaths.ts";
import { failovers } from "./failovers.ts";
import { flood } from "./flood.ts";
import { diskFull, logFull } from "./full-disks.ts";
import { mixed, short } from "./mixed.ts";
import { silentLinks } from "./outages.ts";
import { cancels, idempotency, rolling, sessions } from "./promises.ts";
import type { Scenario } from "./scenario.ts";
import { waiting } from "./waiting.ts";

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "worker-kills": workerKills,
  "redis-kills": redisKills,
  "database-restarts": databaseRestarts,
  failovers,
  zombies,
  "crash-points": crashPoints,
  cancels,
  idempotency,
  sessions,
  rolling,
  waiting,
  "busy-thread": busyThread,
  flood,
  "disk-full": diskFull,
  "log-full": logFull,
  "silent-links": silentLinks,
  clock,
  mixed,
  short,
};
