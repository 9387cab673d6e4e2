/** Documents and the state of the platform in the playground, in a real browser. */
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Server } from "../../../scripts/services/server.ts";
import { startTestChroma } from "../../support/chroma.ts";
import { startChromium } from "../../support/chromium.ts";
import { startTestPlatform, type TestPlatform } from "../../support/platform.ts";
import { builtPlayground, openPlayground, type Playground } from "../../support/playground.ts";

const WITHIN = { timeout: 45_000 };

let chroma: Server;
let platform: TestPlatform;
let browser: Browser;
const opened: Playground[] = [];

beforeAll(async () => {
  await builtPlayground();
  chroma = await startTestChroma();
  browser = await startChromium();
  platform = await startTestPlatform({ env: { CHROMA_URL: chroma.url } });
}, 180_000);
afterAll(async () => {
  await Promise.all([browser?.close(), platform?.stop()]);
  await chroma?.stop();
});
afterEach(() => Promise.all(opened.splice(0).map((playground) => playground.close())));

async function open(address: string, options = {}): Promise<Playground> {
  const playground = await openPlayground(browser, platform.alice.origin, options);
  opened.push(playground);
  await playground.page.goto(`${platform.alice.origin}/#/${address}`);
  return playground;
}

test("documents are stored by choosing files, found by a query, cited in a chat, and opened at the passage", async () => {
  // The browser reports what is refused.
  const playground = await open("documents/handbook", { expected: /422/ });
  const { page } = playground;
  await page.route(/\/documents\?source/, () => {});
  const held = ["a.md", "b.md", "c.md", "d.md"].map((name) => ({ name, mimeType: "", buffer: Buffer.from(name) }));
  await page.locator("input[type=file]").setInputFiles(held);
  await page.getByText("waiting", { exact: true }).waitFor();
  // The last one waits for its turn.
  for (const [index, { name }] of held.toReversed().entries()) {
    await page.getByRole("button", { name: `Cancel ${name}` }).click();
    await expect.poll(() => page.getByText("cancelled", { exact: true }).count()).toBe(index + 1);
  }
  await page.unroute(/\/documents\?source/);
  await page.getByRole("button", { name: "Clear the list" }).click();

  const files = [
    ["holidays.md", "text/markdown", "# Holidays\n\nEverybody has thirty days of holiday a year."],
    ["kitchen.md", "text/markdown", "# Kitchen\n\nThe coffee machine is cleaned on Fridays."],
    ["rooms.json", "application/json", '{"text": "There are nine rooms."}'],
    ["nothing.pdf", "application/pdf", "no PDF"],
  ].map(([name = "", mimeType = "", text = ""]) => ({ name, mimeType, buffer: Buffer.from(text) }));
  await page.locator("input[type=file]").setInputFiles(files);
  await expect.poll(() => page.getByText("stored", { exact: true }).count(), WITHIN).toBe(3);
  await page.locator(".problem").first().waitFor();

  await page.getByRole("searchbox").fill("How many days of holiday?");
  await page.getByRole("button", { name: "Search" }).click();
  await page.locator(".passages li").first().getByText("thirty days").waitFor(WITHIN);

  await page.goto(`${platform.alice.origin}/#/chat`);
  await page.getByLabel("Agent", { exact: true }).selectOption("rag_basic");
  await page.getByRole("button", { name: "Settings of the agent" }).click();
  await page.getByRole("dialog").getByLabel("collection").fill("handbook");
  await page.getByRole("button", { name: "Apply" }).click();
  await playground.send("How many days of holiday do I have? [[text=Thirty%20days%20[1].]]");
  await playground.answer();
  await page
    .getByRole("button", { name: /^Source \[1\]/ })
    .first()
    .click();
  await page.getByRole("dialog").locator("mark", { hasText: "thirty days" }).waitFor(WITHIN);
  playground.expectClean();
});

test("the platform's page shows health, workers, charts and agents, and changes theme and language", async () => {
  const playground = await open("overview", { viewport: { width: 390, height: 844 } });
  const { page } = playground;
  for (const part of ["redis", "database", "workers"]) await page.getByText(new RegExp(part, "i")).first().waitFor();
  await page.getByText("orchestrator", { exact: true }).first().waitFor(WITHIN);
  await page.locator("main svg").first().waitFor();
  await page.getByRole("radio", { name: "Dark" }).check();
  expect(await page.evaluate("document.documentElement.dataset.theme")).toBe("dark");
  await page.getByRole("radio", { name: "中文" }).check();
  await page.getByRole("heading", { name: "平台" }).waitFor();
  expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
  playground.expectClean();
});
