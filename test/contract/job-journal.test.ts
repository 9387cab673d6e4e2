import { startJournaledJob } from "../support/journaled-job.ts";
import { journalContract } from "./journal-contract.ts";

journalContract("of the worker, on SQLite", startJournaledJob);
