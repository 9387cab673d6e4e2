/**
 * `npm run pictures`: takes the pictures of the documents from the running product and writes them to docs/pictures.
 * It needs a Chromium (scripts/install-chromium.sh) and, for Chinese texts, a font that has them.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildPlayground } from "@agent-paas/playground/build.ts";
import { makeFolder } from "@agent-paas/shared/files/folders.ts";
import type { Page } from "playwright-core";
import { startTestChroma } from "../support/chroma.ts";
import { startChromium } from "../support/chromium.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { ROOT } from "../support/sources.ts";
import { drawArchitecture } from "./architecture.ts";
import { CHAT, JOB, storeHandbook } from "./scenes.ts";

const FOLDER = join(ROOT, "docs/pictures");

type Picture = {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly colorScheme?: "light" | "dark";
  /** Brings the page into the state that is shown. */
  readonly show: (page: Page, platform: TestPlatform) => Promise<void>;
};

const PICTURES: readonly Picture[] = [
  { name: "chat", width: 1280, height: 820, show: CHAT.show },
  { name: "chat-phone", width: 390, height: 844, colorScheme: "dark", show: CHAT.show },
  { name: "timeline", width: 1280, height: 900, show: JOB.show },
];

makeFolder(FOLDER);
await buildPlayground();
await using stack = new AsyncDisposableStack();
const redis = stack.adopt(await startPrivateRedis(), (server) => server.stop());
const chroma = stack.adopt(await startTestChroma(), (server) => server.stop());
const browser = stack.adopt(await startChromium(), (one) => one.close());
const platform = stack.adopt(
  await startTestPlatform({ apis: 2, workers: 2, redisUrl: redis.url, env: { CHROMA_URL: chroma.url } }),
  (started) => started.stop(),
);
await storeHandbook(platform);
for (const { name, width, height, colorScheme = "light", show } of PICTURES) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, deviceScaleFactor: 2 });
  const page = await context.newPage();
  await page.goto(`${platform.alice.origin}/#key=${KEYS.alice}`);
  await show(page, platform);
  await page.mouse.move(width - 1, 1);
  await page.screenshot({ path: join(FOLDER, `${name}.png`), animations: "disabled" });
  await context.close();
  console.log(`docs/pictures/${name}.png`);
}
await writeFile(join(FOLDER, "architecture.svg"), await drawArchitecture(platform));
console.log("docs/pictures/architecture.svg");
