/** A chat of `tool_basic` whose tool call waits for an approval. */

import type { ApiClient, Json } from "./api-client.ts";
import { readInBackground } from "./background-reader.ts";
import { thoughtsOf } from "./sse-client.ts";
import { waitFor } from "./wait-for.ts";

export type WaitingJob = Awaited<ReturnType<typeof askForWrites>>;

type Write = { readonly file: string; readonly word: string };

/** Has the model call the tool for each write, side by side; resolves when all of them wait and the stream shows it. */
export async function askForWrites(
  client: ApiClient,
  writes: readonly Write[],
  { tool = "approved_write", ...more }: { readonly tool?: string; readonly [field: string]: unknown } = {},
) {
  const calls = writes.map((write) => `${tool}(${JSON.stringify(write)})`).join(";");
  const request = { agent_type: "tool_basic", config: { tools: [tool] }, ...more };
  const stream = await client.chat({ ...request, message: `please write [[calls=${calls}]]` });
  const { jobId, sessionId } = stream;
  const reader = readInBackground(stream);
  await waitFor("the stream to show all", () => thoughtsOf(reader.seen, "approval_required").length === writes.length);
  return { jobId, sessionId, reader, inquiries: await waitingFor(client, jobId, writes.length) };
}

/** What the job waits for, once it waits for so much. */
export const waitingFor = (client: ApiClient, jobId: string, count = 1): Promise<Json[]> =>
  waitFor(`${jobId} to wait`, async () => {
    const { status, waiting_for } = await client.job(jobId);
    return status === "waiting" && waiting_for.length === count && waiting_for;
  });

export const decide = (client: ApiClient, jobId: string, ...decisions: readonly object[]) =>
  client.post(`/jobs/${jobId}/decisions`, { decisions });
