/**
 * `npm run page-speed`: how long it takes from `npm start` to the first token in a browser, and what a fast answer
 * costs the playground's main thread, beside a bare page that only appends the same text to an element.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatDirectives } from "../../scripts/model-server/client.ts";
import { freePort } from "../../scripts/services/ports.ts";
import { startChromium } from "../support/chromium.ts";
import { npmStart } from "../support/npm-start.ts";
import { type PageCost, tracePage } from "./page-trace.ts";

const TOKENS = 10_000;
const TOKENS_PER_S = 2_000;
const ANSWERED_WITHIN_MS = 60_000;

/** The baseline: reads the stream and appends its text, and draws nothing else. */
const bare = (key: string, body: object): string => `(async () => {
  const target = document.body.appendChild(document.createElement("pre"));
  const headers = { Authorization: "Bearer ${key}", "Content-Type": "application/json" };
  const body = ${JSON.stringify(JSON.stringify(body))};
  const response = await fetch("/api/v1/chat/completions", { method: "POST", headers, body });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { value, done } = await reader.read();
    if (done) return target.textContent.length;
    const frames = (rest + value).split("\\n\\n");
    rest = frames.pop();
    for (const frame of frames) {
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      if (data !== undefined && frame.includes("event: message")) target.append(JSON.parse(data).content);
    }
  }
})()`;

const show = (name: string, { seconds, busyMs, longTasks, longestMs }: PageCost): string =>
  `${name.padEnd(12)} ${seconds.toFixed(1)} s, main thread busy ${Math.round(busyMs)} ms, ` +
  `${longTasks} tasks over 50 ms (longest ${Math.round(longestMs)})`;

const dir = await mkdtemp(join(tmpdir(), "agent-paas-page-"));
const port = await freePort();
const origin = `http://127.0.0.1:${port}`;
const browser = await startChromium();
const startedAt = performance.now();
const since = () => `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`;
const started = npmStart(dir, {}, "--port", String(port));
try {
  await started.up();
  console.log(`npm start is up after          ${since()}`);
  const key = (await readFile(join(dir, "data/api-key"), "utf8")).trim();
  const page = await browser.newPage();
  await page.goto(`${origin}/#key=${key}`);
  const field = page.getByRole("textbox", { name: "Message" });
  await field.waitFor();
  console.log(`the page can be used after     ${since()}`);
  await page.locator(".agent-choice option").first().waitFor({ state: "attached" });
  await field.fill("Hello");
  await field.press("Enter");
  await page.locator(".answer .markdown").waitFor();
  console.log(`the first token is shown after ${since()}`);
  await page.locator(".answer[aria-busy=false]").waitFor();

  const message = `Write ${formatDirectives({ tokens: TOKENS, rate: TOKENS_PER_S })}`;
  const shown = await tracePage(browser, page, async () => {
    await field.fill(message);
    await field.press("Enter");
    await page.locator(".exchange").nth(1).waitFor();
    const answer = page.locator(".answer").last().and(page.locator("[aria-busy=false]"));
    await answer.waitFor({ timeout: ANSWERED_WITHIN_MS });
  });
  await page.goto(`${origin}/livez`);
  const baseline = await tracePage(browser, page, () =>
    page.evaluate(bare(key, { agent_type: "chat_basic", message })),
  );
  console.log(`\n${TOKENS} tokens in one answer, ${TOKENS_PER_S} a second:`);
  console.log(show("playground", shown));
  console.log(show("bare page", baseline));
  console.log(`ratio        main thread ${(shown.busyMs / baseline.busyMs).toFixed(2)}`);
} finally {
  started.ctrlC();
  await started.exited;
  await browser.close();
  await rm(dir, { recursive: true, force: true });
}
