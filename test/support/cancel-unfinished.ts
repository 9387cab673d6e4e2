import type { ApiClient, Json } from "./api-client.ts";

/** Cancels the jobs that a failed test may have left, so that they cannot delay the next test. */
export async function cancelUnfinished(client: ApiClient): Promise<void> {
  const lists = await Promise.all(
    ["queued", "running"].map((status) => client.get(`/jobs?limit=200&status=${status}`)),
  );
  const jobs = lists.flatMap(({ body }): Json[] => body.jobs);
  await Promise.all(jobs.map(({ id }) => client.cancel(id)));
}
