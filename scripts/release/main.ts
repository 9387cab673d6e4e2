/** `npm run release -- X.Y.Z [--commit]`: says what the release would do, and does it only with --commit. */
import { parseArgs } from "node:util";
import { readNotes } from "./changelog.ts";
import { carryOut, planRelease, pushCommand } from "./release.ts";

const USAGE = `npm run release -- X.Y.Z [--dry-run | --commit]

  --dry-run  checks everything and says what would be done (the default)
  --commit   does it: moves the changelog's unreleased section to the version, raises the version, commits, tags

Nothing is pushed.`;

/** npm runs scripts in the package's root. */
const root = process.cwd();

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      commit: { type: "boolean", default: false },
      "dry-run": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const [version, ...more] = positionals;
  if (values.help) {
    console.log(USAGE);
  } else if (version === undefined || more.length > 0 || (values.commit && values["dry-run"])) {
    console.error(USAGE);
    process.exitCode = 2;
  } else {
    release(version, values.commit);
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

function release(version: string, isReal: boolean): void {
  const plan = planRelease(root, version, new Date().toISOString().slice(0, 10));
  console.log(`${plan.tag}:\n\n${readNotes(plan.files.get("CHANGELOG.md") ?? "", version)}\n`);
  const names = [...plan.files.keys()].join(", ");
  if (isReal) {
    carryOut(root, plan);
    console.log(`Committed ${names} and tagged ${plan.tag}. To publish it:\n\n  ${pushCommand(plan)}`);
  } else {
    console.log(`This was a dry run. With --commit it would write, commit and tag ${names}.`);
  }
}
