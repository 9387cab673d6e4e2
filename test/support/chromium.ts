/** The system's Chromium, driven by playwright-core, which brings no browser of its own. */
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const { CHROMIUM_PATH, PATH = "" } = process.env;
/** The same as in scripts/install-chromium.sh. */
const NAMES = ["chromium", "chromium-browser", "google-chrome"];
const MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

export async function startChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: await findChromium(), args: ["--disable-dev-shm-usage"] });
}

async function findChromium(): Promise<string> {
  const places = NAMES.flatMap((name) => PATH.split(delimiter).map((folder) => join(folder, name)));
  for (const file of CHROMIUM_PATH === undefined ? [...places, MAC] : [CHROMIUM_PATH]) {
    if (await exists(file)) return file;
  }
  throw new Error("there is no Chromium: run scripts/install-chromium.sh, or set CHROMIUM_PATH");
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
