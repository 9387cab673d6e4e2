/** Runs a load of equal POSTs in this process. */
import { spreadOf } from "../measure/statistics.ts";
import { Connection } from "./connection.ts";
import type { PostFindings, PostLoad } from "./load.ts";
import { postRequest } from "./protocols.ts";

export async function runPosts(load: PostLoad): Promise<PostFindings> {
  const request = postRequest(load.path, load.body);
  const times: number[] = [];
  const failures: string[] = [];

  async function client(): Promise<void> {
    const connection = new Connection(load.port);
    for (let left = load.requestsPerClient; left > 0; left--) {
      const askedAt = performance.now();
      try {
        const status = await connection.request(request, () => {});
        if (status !== load.status) failures.push(`status ${status}`);
      } catch (error) {
        failures.push((error as Error).message);
      }
      times.push(performance.now() - askedAt);
    }
    connection.close();
  }

  await Promise.all(Array.from({ length: load.clients }, client));
  return { failures: failures.length, firstFailure: failures[0] ?? null, answerMs: spreadOf(times) };
}
