// Before anything else: the sources are TypeScript that only Node 24 and later runs as it is. Plain JavaScript, and
// loadable with --import, so that an older Node says this and not "Unknown file extension".
const WANTED = 24;

if (Number.parseInt(process.versions.node, 10) < WANTED) {
  console.error(
    `Agent PaaS needs Node ${WANTED}; this is ${process.version}. "npm ci && npm start" brings its own and uses it.`,
  );
  process.exit(1);
}
