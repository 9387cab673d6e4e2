/** The system's Chromium, driven by playwright-core, which brings no browser of its own. */
import { execFile } from "node:child_process";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { type Browser, chromium } from "playwright-core";

const { CHROMIUM_PATH, PATH = "" } = process.env;
/** The same as in scripts/install-chromium.sh. */
const NAMES = ["chromium", "chromium-browser", "google-chrome"];
const MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/** One process draws all pages, by software: a third of the CPU of several, where there is no graphics card. */
const ARGS = [
  "--disable-dev-shm-usage",
  "--disable-gpu",
  "--disable-site-isolation-trials",
  "--renderer-process-limit=1",
];

export const startChromium = async (): Promise<Browser> =>
  chromium.launch({ executablePath: await findChromium(), args: ARGS });

async function findChromium(): Promise<string> {
  const places = NAMES.flatMap((name) => PATH.split(delimiter).map((folder) => join(folder, name)));
  for (const file of CHROMIUM_PATH ? [CHROMIUM_PATH] : [...places, MAC]) {
    if (await runs(file)) return file;
  }
  throw new Error("there is no Chromium: run scripts/install-chromium.sh, or set CHROMIUM_PATH");
}

/** Where Chromium comes as a snap, the program of its package only asks for the snap. */
const runs = (file: string): Promise<boolean> =>
  promisify(execFile)(file, ["--version"], { timeout: 60_000 }).then(
    () => true,
    () => false,
  );
