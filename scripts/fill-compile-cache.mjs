/**
 * Loads the source files listed on standard input (JSON) without running any, so that Node's compile cache gets them;
 * it is written when this process ends. See compile-cache.mjs.
 */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const STANDARD_INPUT = 0;
/** Modules run in the order of their imports, once all of them are loaded: the first one ends it. */
const END = "data:text/javascript,throw 0";

const load = (file) => {
  const text = [END, pathToFileURL(file).href].map((url) => `import ${JSON.stringify(url)};`).join("\n");
  return import(`data:text/javascript,${encodeURIComponent(text)}`);
};

await Promise.allSettled(JSON.parse(readFileSync(STANDARD_INPUT, "utf8")).map(load));
