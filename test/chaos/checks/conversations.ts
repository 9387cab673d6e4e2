/** I6: the messages of a session are answered one at a time, in the order accepted. */
import type { Notebook } from "../findings.ts";
import type { CaseFile } from "./job-evidence.ts";

export function checkConversations(files: readonly CaseFile[], notebook: Notebook): void {
  const talking = files.filter(({ transcript }) => transcript.turn !== null);
  for (const [session, unsorted] of Map.groupBy(talking, ({ transcript }) => transcript.turn?.session)) {
    const turns = unsorted.toSorted((a, b) => (a.transcript.turn?.no ?? 0) - (b.transcript.turn?.no ?? 0));
    notebook.count("sessions");
    const kept = turns.flatMap(({ messages, jobId }) => messages.map((message) => ({ ...message, jobId })));
    const order = kept.toSorted((a, b) => a.ordinal - b.ordinal).map(({ jobId, role }) => `${role} ${jobId}`);
    const asked = turns.flatMap(({ jobId }) => [`user ${jobId}`, `assistant ${jobId}`]);
    if (order.join() !== asked.join()) {
      notebook.found("out of order", { label: session ?? "" }, `${order.length} messages, not as asked`);
    }
    let endedAt = 0;
    for (const { calls, jobId: job, transcript } of turns) {
      const beganAt = Math.min(...calls.map(({ at_ms }) => at_ms));
      if (beganAt < endedAt) {
        notebook.found(
          "overlaps",
          { job, label: transcript.label },
          `began ${endedAt - beganAt} ms before the former ended`,
        );
      }
      endedAt = Math.max(endedAt, ...calls.map(({ ended_at_ms }) => ended_at_ms ?? Infinity));
    }
  }
}
