/**
 * What every database behind the storage port does: the repositories of the worker and the readers of the API give the
 * same results on each. A further database is one more caller of `storageContract`.
 */
import { describe } from "vitest";
import { batchContract } from "./storage-batches.ts";
import { clientToolContract } from "./storage-client-tools.ts";
import { concurrencyContract } from "./storage-concurrency.ts";
import { installationContract } from "./storage-installation.ts";
import { jobContract } from "./storage-jobs.ts";
import { journalContract } from "./storage-journal.ts";
import { knowledgeContract } from "./storage-knowledge.ts";
import type { OpenStorage } from "./storage-parts.ts";
import { readContract } from "./storage-reads.ts";
import { replacedContract } from "./storage-replaced.ts";
import { retentionContract } from "./storage-retention.ts";
import { sessionSearchContract } from "./storage-session-search.ts";
import { sessionContract } from "./storage-sessions.ts";
import { suspensionContract } from "./storage-suspensions.ts";
import { textContract } from "./storage-texts.ts";

/** @param open opens a database for one test. */
export function storageContract(database: string, open: OpenStorage): void {
  describe(`storage on ${database}`, () => {
    describe("batches", () => batchContract(open));
    describe("jobs", () => jobContract(open));
    describe("journal", () => journalContract(open));
    describe("sessions", () => sessionContract(open));
    describe("replaced messages", () => replacedContract(open));
    describe("searches through sessions", () => sessionSearchContract(open));
    describe("client tools", () => clientToolContract(open));
    describe("suspended jobs", () => suspensionContract(open));
    describe("retention and orphaned jobs", () => retentionContract(open));
    describe("knowledge", () => knowledgeContract(open));
    describe("installation", () => installationContract(open));
    describe("reads", () => readContract(open));
    describe("texts and numbers", () => textContract(open));
    describe("several workers", () => concurrencyContract(open));
  });
}
