/**
 * The migrations of the database. They are forward-only. The header of each says whether older workers may run beside
 * it; where they may not, its name ends with "-breaking".
 */
import type { Migrations, Storage } from "@agent-paas/shared/db/storage.ts";
import * as initial from "./migrations/001-initial.ts";
import * as agentSteps from "./migrations/002-agent-steps.ts";
import * as knowledge from "./migrations/003-knowledge.ts";
import * as indexes from "./migrations/004-indexes.ts";
import * as knowledgeIndexes from "./migrations/005-knowledge-indexes.ts";
import * as reaperAndRetention from "./migrations/006-reaper-and-retention.ts";
import * as glossaryNames from "./migrations/007-glossary-names-breaking.ts";
import * as installation from "./migrations/008-installation.ts";
import * as jobMetadata from "./migrations/009-job-metadata-and-reserved-ordinals.ts";
import * as suspendedJobs from "./migrations/010-suspended-jobs.ts";
import * as clientCalls from "./migrations/011-client-calls.ts";
import * as messageParts from "./migrations/012-message-parts.ts";
import * as sessionsByTime from "./migrations/013-sessions-by-time.ts";
import * as jobRequest from "./migrations/014-job-request.ts";
import * as wholeTurns from "./migrations/015-whole-turns.ts";
import * as titlesAndJobInputs from "./migrations/016-titles-and-job-inputs.ts";
import * as jobTimeline from "./migrations/017-job-timeline.ts";

export const MIGRATIONS: Migrations = new Map([
  ["001-initial", initial],
  ["002-agent-steps", agentSteps],
  ["003-knowledge", knowledge],
  ["004-indexes", indexes],
  ["005-knowledge-indexes", knowledgeIndexes],
  ["006-reaper-and-retention", reaperAndRetention],
  ["007-glossary-names-breaking", glossaryNames],
  ["008-installation", installation],
  ["009-job-metadata-and-reserved-ordinals", jobMetadata],
  ["010-suspended-jobs", suspendedJobs],
  ["011-client-calls", clientCalls],
  ["012-message-parts", messageParts],
  ["013-sessions-by-time", sessionsByTime],
  ["014-job-request", jobRequest],
  ["015-whole-turns", wholeTurns],
  ["016-titles-and-job-inputs", titlesAndJobInputs],
  ["017-job-timeline", jobTimeline],
]);

/** Runs what is missing, one worker at a time. */
export const migrate = (storage: Pick<Storage, "migrate">): Promise<void> => storage.migrate(MIGRATIONS);
