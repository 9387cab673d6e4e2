/** A large document whose passages resemble one another, which Chroma indexes slowest, beside small ones. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import { startTestChroma } from "../support/chroma.ts";
import { createKnowledgeClient, documentsOf } from "../support/knowledge-client.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { waitFor } from "../support/wait-for.ts";

let chroma: Server;
let platform: TestPlatform;
beforeAll(async () => {
  chroma = await startTestChroma();
  platform = await startTestPlatform({ workers: 2, env: { CHROMA_URL: chroma.url } });
});
afterAll(async () => {
  await platform.stop();
  await chroma.stop();
});

/** Some 1,000 passages that differ in one word each. */
const alike = (name: string) =>
  Array.from({ length: 1_000 }, (_, at) => `${name}${at}. ${"y ".repeat(280)}`).join("\n\n");

test("large documents do not starve small ones of the same owner or of another, and every one is stored at the first try", async () => {
  const { alice, bob } = platform;
  const large = await Promise.all(
    ["one", "two"].map((name) => alice.post(documentsOf("large"), { source: name, text: alike(name) })),
  );
  const largeIds = large.map(({ body }) => body.job_id);
  await waitFor("a large document to be under way", async () =>
    (await Promise.all(largeIds.map((id) => alice.job(id)))).some(({ progress }) => progress?.progress > 0),
  );
  const small = await Promise.all(
    [alice, bob].flatMap((client) =>
      [1, 2, 3].map(async (at) => {
        const docs = createKnowledgeClient(client);
        await docs.store("small", { source: `${at}.md`, text: `# Small ${at}\n\nA document of one passage.` });
        return performance.now();
      }),
    ),
  );
  expect(small).toHaveLength(6);
  const states = await Promise.all(largeIds.map((id) => alice.job(id)));
  expect(states.map(({ status }) => status)).toContain("running");
  for (const id of largeIds) {
    expect(await alice.ended(id, 200_000)).toMatchObject({ status: "completed", attempt: 1 });
  }
  const { documents } = (await alice.get(documentsOf("large"))).body;
  expect(documents).toHaveLength(2);
}, 240_000);
