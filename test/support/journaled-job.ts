/** For tests: a job in a real database whose attempts have real journals. */
import { createJobJournal, type JobJournal } from "../../apps/worker/src/run/job-journal.ts";
import { createJobRepository } from "../../apps/worker/src/storage/job-repository.ts";
import { createJournalRepository } from "../../apps/worker/src/storage/journal-repository.ts";
import { jobPayload } from "./job-payload.ts";
import { openTestDatabase } from "./test-database.ts";

export async function startJournaledJob() {
  const { db, storage } = await openTestDatabase();
  const jobs = createJobRepository(storage, "worker-a");
  const payload = jobPayload({ agent_type: "tool_basic" });
  /** The attempts whose writes the fence refused. */
  const refused: number[] = [];
  const attempt = async (number: number): Promise<JobJournal> => {
    await jobs.start(payload, number);
    return createJobJournal({
      entries: createJournalRepository(storage),
      jobId: payload.job_id,
      fencingToken: number,
      resumed: number > 1,
      row: Promise.resolve(),
      onRefused: () => refused.push(number),
    });
  };
  return { db, payload, jobs, attempt, refused };
}
