/** I1 and I2, as the client of one job saw them over all its connections. */
import type { Recorder } from "../findings.ts";
import { type Frame, readFrames } from "../sse-frames.ts";
import type { Transcript } from "../transcript.ts";
import type { JobEvidence } from "./job-evidence.ts";

export function framesOf({ connections }: Transcript): Frame[] {
  return connections.filter(({ status }) => status === 200).flatMap(({ chunks }) => readFrames(chunks));
}

export function checkStream(evidence: JobEvidence, recorder: Recorder): void {
  const { transcript, jobId: job, row, log } = evidence;
  const { label, polled } = transcript;
  const frames = framesOf(transcript);
  const replay = transcript.expected.mayBeReplayed === true ? replayOf(frames, row) : undefined;
  checkNumbers(frames, { job, label, log, replay }, recorder);
  if (polled === null) {
    checkConnections(transcript, { job, label }, recorder);
    checkEnd(evidence, frames, recorder);
    const logged = frames.filter((frame) => frame !== replay);
    compareWithLog(evidence, logged, recorder);
    timeRecovery(transcript, frames, recorder);
  } else if (row !== undefined && polled.status !== row.status) {
    recorder.incident("twice", { job, label }, `the client polled ${polled.status}, the row's status is ${row.status}`);
  }
}

/**
 * The whole text, with which an API that cannot reach the log begins what it sends of an ended job: it is followed by
 * the end alone.
 */
function replayOf(frames: readonly Frame[], row: JobEvidence["row"]): Frame | undefined {
  const at = frames.findLastIndex(({ event }) => event === "message");
  const rest = frames.slice(at + 1);
  if (!row?.result || rest.some(({ event }) => event !== "error" && event !== "done")) return undefined;
  return frames[at]?.data.content === JSON.parse(row.result).content ? frames[at] : undefined;
}

function checkConnections(
  { connections, expected }: Transcript,
  about: { readonly job: string; readonly label: string },
  recorder: Recorder,
): void {
  // An execute job is accepted with a 202; its stream is the next connection.
  const streams = connections.filter(({ status }) => status !== 202);
  if (expected.keepsConnection !== true || (streams.length === 1 && streams[0]?.closed === "end")) return;
  const closed = connections.map((connection) => `${connection.api} ${connection.status} ${connection.closed}`);
  recorder.incident("broken streams", about, `${connections.length} connections: ${closed.join(", ")}`);
}

/** Exactly one done, as the last event, in agreement with the row. */
function checkEnd({ transcript, jobId: job, row }: JobEvidence, frames: readonly Frame[], recorder: Recorder): void {
  const about = { job, label: transcript.label };
  const ends = frames.filter(({ event }) => event === "done");
  const [end] = ends;
  const { connections } = transcript;
  // A job without a row is lost, and counted as such; its client was told if it has no open stream.
  if (end === undefined && row === undefined && connections.at(-1)?.status !== 200) return;
  if (end === undefined) {
    recorder.incident("without end", about, `no done in ${connections.length} connections`);
    return;
  }
  if (ends.length > 1) recorder.incident("twice", about, `${ends.length} times done`);
  if (frames.at(-1) !== end) recorder.incident("stale writes", about, "the client received events after done");
  if (row !== undefined && end.data.status !== row.status) {
    recorder.incident("twice", about, `done says ${end.data.status}, the row's status is ${row.status}`);
  }
  if (end.data.job_id !== job) recorder.incident("wrong text", about, `done names another job, ${end.data.job_id}`);
}

function compareWithLog(
  { transcript, jobId: job, row, log }: JobEvidence,
  frames: readonly Frame[],
  recorder: Recorder,
) {
  const logged = new Map(log?.map((frame) => [frame.id, frame]));
  // Where Redis has lost the end of a log, the whole text stands for what clients have seen of it.
  const standIn = replayOf(log ?? [], row);
  if (standIn?.data.type === "reset") logged.delete(standIn.id);
  for (const { id, event, data } of frames) {
    const inLog = logged.get(id);
    if (inLog !== undefined && (inLog.event !== event || JSON.stringify(inLog.data) !== JSON.stringify(data))) {
      const what = `the log holds another event ${id} than the client received`;
      recorder.incident("stale writes", { job, label: transcript.label }, what);
    }
  }
}

type AboutFrames = {
  readonly job: string;
  readonly label: string;
  readonly log: readonly Frame[] | undefined;
  /** A frame that may jump although the log has what lies in between. */
  readonly replay?: Frame | undefined;
};

/** The events with which a new attempt begins and discards the text of a lost one: only they may follow a jump. */
const startsAttempt = ({ data }: Frame): boolean => ["retry", "reset", "status"].includes(String(data.type));

/** The end of a job that was cancelled while it waited; 1 is left to an attempt that may begin at the same time. */
const endsUnstarted = ({ id, event, data }: Frame): boolean =>
  id === 2 && event === "done" && data.status === "cancelled";

/**
 * Event numbers start at 1 and follow one another, for a client as in the log. The first event after a lost attempt
 * jumps, because the lost attempt may have published events that reached no log; the log then holds nothing in between.
 */
export function checkNumbers(
  frames: readonly Frame[],
  { log, replay, ...about }: AboutFrames,
  recorder: Recorder,
  where = "client",
): void {
  let last = 0;
  for (const frame of frames) {
    const { id } = frame;
    const mayJump = startsAttempt(frame) || endsUnstarted(frame);
    const isAsLogged = mayJump && log?.every((logged) => logged.id <= last || logged.id >= id) !== false;
    const isJump = isAsLogged || frame === replay;
    if (id <= last) recorder.incident("repeated events", about, `${where}: ${id} after ${last}`);
    else if (id !== last + 1 && !isJump) recorder.incident("holes", about, `${where}: ${id} after ${last}`);
    last = Math.max(last, id);
  }
}

/** How long a client received nothing before its job was retried. Announced delays do not count. */
function timeRecovery({ acceptedAt }: Transcript, frames: readonly Frame[], recorder: Recorder): void {
  for (const [at, { data, at: retriedAt }] of frames.entries()) {
    if (data.type !== "retry") continue;
    const before = frames[at - 1];
    const isAnnounced = before?.data.type === "status" && at > 1;
    if (!isAnnounced) recorder.time("job recovery", retriedAt - (before?.at ?? acceptedAt ?? retriedAt));
  }
}
