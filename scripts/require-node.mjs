/**
 * Loaded before anything else: the sources are TypeScript, which only Node 24 and later runs without a build. This file
 * is plain JavaScript and loadable with --import, so that an older Node prints this message and not "Unknown file
 * extension".
 */
const WANTED = 24;

if (Number.parseInt(process.versions.node, 10) < WANTED) {
  console.error(
    `Agent PaaS needs Node ${WANTED}; this is ${process.version}. "npm ci && npm start" installs and uses its own.`,
  );
  process.exit(1);
}

await import("./compile-cache.mjs");
