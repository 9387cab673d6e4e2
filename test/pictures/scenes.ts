/** What the pictures show: a chat that calls a tool and cites a document, and a job whose steps take a while. */
import { createClient } from "@agent-paas/client";
import type { Page } from "playwright-core";
import { formatDirectives } from "../../scripts/model-server/client.ts";
import { KEYS, type TestPlatform } from "../support/platform.ts";

const clientOf = ({ alice }: TestPlatform) => createClient({ baseUrl: alice.origin, apiKey: KEYS.alice });

const HANDBOOK = `# Travel

## Trains

Trains are booked by the office, at least a week ahead. A first-class ticket is paid from four hours on.

## Hotels

A hotel may cost 140 euros a night, and 190 in capitals.`;

export async function storeHandbook(platform: TestPlatform): Promise<void> {
  const client = clientOf(platform);
  const { job_id } = await client.knowledge.upload("handbook", HANDBOOK, { source: "travel.md" });
  await client.jobs.wait(job_id);
}

const ANSWER = `Three nights in a capital may cost **570 euros** at most [1]:

| City | Nights | Limit a night | Together |
|---|--:|--:|--:|
| Paris | 3 | 190 € | 570 € |

The rule behind it, as a function:

\`\`\`ts
const limit = (isCapital: boolean, nights: number): number => (isCapital ? 190 : 140) * nights;
\`\`\`

In short, $L = n \\cdot \\ell$ with $\\ell = 190$.`;

export const CHAT = {
  async show(page: Page, platform: TestPlatform): Promise<void> {
    await platform.model.script({ match: "hotel", steps: [{ text: ANSWER }] });
    const { session_id } = await clientOf(platform)
      .chat({
        agent_type: "rag_basic",
        message: "What may a hotel in Paris cost for three nights?",
        config: { collection: "handbook" },
      })
      .result();
    await page.goto(`${platform.alice.origin}/#/chat/${session_id}`);
    await page.locator(".answer .sources").waitFor();
    await page.locator(".answer .formula math").first().waitFor();
  },
};

const PLAN = {
  steps: [
    { id: "rules", agent: "chat_basic", task: `The rules ${formatDirectives({ tokens: 60, rate: 60 })}` },
    {
      id: "sum",
      agent: "tool_basic",
      task: 'The sum [[calls=calculator({"expression":"3*190"}) ttft=700 rate=60]]',
    },
    {
      id: "letter",
      agent: "chat_basic",
      task: `A letter ${formatDirectives({ tokens: 90, rate: 60 })}`,
      depends_on: ["rules", "sum"],
    },
  ],
};

export const JOB = {
  async show(page: Page, platform: TestPlatform): Promise<void> {
    const config = { plan: PLAN, join: "concat" };
    const request = { task: "Plan the trip to Paris", config };
    const { id } = await clientOf(platform).execute("orchestrator", request, { wait: true });
    await page.goto(`${platform.alice.origin}/#/jobs/${id}`);
    await page.locator("figure.timeline rect").first().waitFor();
  },
};
