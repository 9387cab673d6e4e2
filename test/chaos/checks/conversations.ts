/** I6: the messages of a session are answered one at a time, in the order accepted. */
import type { Recorder } from "../findings.ts";
import type { JobEvidence } from "./job-evidence.ts";

export function checkConversations(jobs: readonly JobEvidence[], recorder: Recorder): void {
  const inConversation = jobs.filter(({ transcript }) => transcript.conversation !== null);
  const bySession = Map.groupBy(inConversation, ({ transcript }) => transcript.conversation?.session);
  const numberOf = ({ transcript }: JobEvidence) => transcript.conversation?.no ?? 0;
  for (const [session, unsorted] of bySession) {
    const asked = unsorted.toSorted((a, b) => numberOf(a) - numberOf(b));
    recorder.count("sessions");
    const stored = asked.flatMap(({ messages, jobId }) => messages.map((message) => ({ ...message, jobId })));
    const order = stored.toSorted((a, b) => a.ordinal - b.ordinal).map(({ jobId, role }) => `${role} ${jobId}`);
    const expected = asked.flatMap(({ jobId }) => [`user ${jobId}`, `assistant ${jobId}`]);
    if (order.join() !== expected.join()) {
      recorder.incident(
        "out of order",
        { label: session ?? "" },
        `${order.length} messages are not in the order asked`,
      );
    }
    let endedAt = 0;
    for (const { calls, jobId: job, transcript } of asked) {
      const startedAt = Math.min(...calls.map(({ at_ms }) => at_ms));
      if (startedAt < endedAt) {
        recorder.incident(
          "overlaps",
          { job, label: transcript.label },
          `began ${endedAt - startedAt} ms before the previous message was answered`,
        );
      }
      endedAt = Math.max(endedAt, ...calls.map(({ ended_at_ms }) => ended_at_ms ?? Infinity));
    }
  }
}
