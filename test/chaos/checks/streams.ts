/** I1 and I2, as the client of one job saw them over all its connections. */
import type { Notebook } from "../findings.ts";
import { type Frame, readFrames } from "../sse-frames.ts";
import type { Transcript } from "../transcript.ts";
import type { CaseFile } from "./job-evidence.ts";

export function framesOf({ connections }: Transcript): Frame[] {
  return connections.filter(({ status }) => status === 200).flatMap(({ chunks }) => readFrames(chunks));
}

export function checkStream({ transcript, jobId: job, row, log }: CaseFile, notebook: Notebook): void {
  const { label, polled } = transcript;
  const about = { job, label };
  const isStreamed = polled === null;
  const frames = framesOf(transcript);
  checkNumbers(frames, { ...about, log }, notebook);
  if (!isStreamed) {
    if (row !== undefined && polled.status !== row.status) {
      notebook.found("twice", about, `polled as ${polled.status}, its row says ${row.status}`);
    }
    return;
  }
  const ends = frames.filter(({ event }) => event === "done");
  const [end] = ends;
  if (end === undefined) {
    notebook.found("without end", about, `no done in ${transcript.connections.length} connections`);
  } else {
    if (ends.length > 1) notebook.found("twice", about, `${ends.length} times done`);
    if (frames.at(-1) !== end) notebook.found("stale writes", about, "the client saw events behind done");
    if (row !== undefined && end.data.status !== row.status) {
      notebook.found("twice", about, `done says ${end.data.status}, its row ${row.status}`);
    }
    if (end.data.job_id !== job) notebook.found("wrong text", about, `done of another job, ${end.data.job_id}`);
  }
  const logged = new Map(log?.map((frame) => [frame.id, frame]));
  for (const { id, event, data } of frames) {
    const same = logged.get(id);
    if (same !== undefined && (same.event !== event || JSON.stringify(same.data) !== JSON.stringify(data))) {
      notebook.found("stale writes", about, `event ${id} is another in the log than the client saw`);
    }
  }
  takeRecovery(transcript, frames, notebook);
}

/** What may come behind a jump: the words by which a lost run is taken back. */
const beginsAnew = ({ data }: Frame): boolean => ["retry", "reset", "status"].includes(String(data.type));

/**
 * Also for a log: there they begin with 1 and follow one another. Only behind a lost run, which may have said nothing, they jump, as the platform says, and
 * then there is nothing between in the log.
 */
export function checkNumbers(
  frames: readonly Frame[],
  { log, ...about }: { readonly job: string; readonly label: string; readonly log: readonly Frame[] | undefined },
  notebook: Notebook,
  where = "client",
): void {
  let last = 0;
  for (const frame of frames) {
    const { id } = frame;
    const isJump = beginsAnew(frame) && log?.every((logged) => logged.id <= last || logged.id >= id) !== false;
    if (id <= last) notebook.found("repeated events", about, `${where}: ${id} after ${last}`);
    else if (id !== last + 1 && !isJump) notebook.found("holes", about, `${where}: ${id} after ${last}`);
    last = Math.max(last, id);
  }
}

/** How long a client saw nothing before it was told that its job starts over; announced pauses are none. */
function takeRecovery({ acceptedAt }: Transcript, frames: readonly Frame[], notebook: Notebook): void {
  for (const [at, { data, at: restartedAt }] of frames.entries()) {
    if (data.type !== "retry") continue;
    const before = frames[at - 1];
    const isAnnounced = before?.data.type === "status" && at > 1;
    if (!isAnnounced) notebook.took("job recovery", restartedAt - (before?.at ?? acceptedAt ?? restartedAt));
  }
}
