/** All scenarios, by the name that `--scenario` takes. */

import { busyThread } from "./busy-thread.ts";
import { crashPoints, redisKills, workerKills, zombies } from "./deaths.ts";
import { flood } from "./flood.ts";
import { mixed, short } from "./mixed.ts";
import { silentLinks } from "./outages.ts";
import { cancels, idempotency, rolling, sessions } from "./promises.ts";
import type { Scenario } from "./scenario.ts";

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "worker-kills": workerKills,
  "redis-kills": redisKills,
  zombies,
  "crash-points": crashPoints,
  cancels,
  idempotency,
  sessions,
  rolling,
  "busy-thread": busyThread,
  flood,
  "silent-links": silentLinks,
  mixed,
  short,
};
