/**
 * Prepares a release on this machine: the changelog's unreleased section gets its version and date, the version rises
 * in package.json and the lock file, and both become one commit with one tag. Nothing is pushed: the pushed tag is what
 * makes .github/workflows/release.yml publish, and that is for a person to do.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findPending, releaseChangelog } from "./changelog.ts";
import { findVersionProblem } from "./next-version.ts";

const BRANCH = "main";

export type ReleasePlan = {
  readonly version: string;
  readonly tag: string;
  /** Path below the root → the text that the file gets. */
  readonly files: ReadonlyMap<string, string>;
};

/** Checks everything and changes nothing. Throws an error that names every reason against the release. */
export function planRelease(root: string, version: string, date: string): ReleasePlan {
  const read = (file: string) => readFileSync(join(root, file), "utf8");
  const manifest = JSON.parse(read("package.json"));
  const changelog = read("CHANGELOG.md");
  const tag = `v${version}`;

  const branch = git(root, "branch", "--show-current");
  const problems = [
    findVersionProblem(manifest.version, version),
    branch === BRANCH ? null : `releases are made on ${BRANCH}, and this is ${branch || "no branch"}`,
    git(root, "status", "--porcelain") === "" ? null : "there are changes that are not committed",
    git(root, "tag", "--list", tag) === "" ? null : `the tag ${tag} exists already`,
    findPending(changelog),
  ].filter((problem) => problem !== null);
  if (problems.length > 0)
    throw new Error(`${version} cannot be released:\n${problems.map((each) => `- ${each}`).join("\n")}`);

  const lock = JSON.parse(read("package-lock.json"));
  lock.version = version;
  lock.packages[""].version = version;
  return {
    version,
    tag,
    files: new Map([
      ["CHANGELOG.md", releaseChangelog(changelog, version, date)],
      ["package.json", toText({ ...manifest, version })],
      ["package-lock.json", toText(lock)],
    ]),
  };
}

/** Writes, commits and tags what was planned. When git refuses the commit, the files are as they were before. */
export function carryOut(root: string, { version, tag, files }: ReleasePlan): void {
  const names = [...files.keys()];
  for (const [file, text] of files) writeFileSync(join(root, file), text);
  try {
    git(root, "commit", "--quiet", "--message", `Release ${version}`, "--", ...names);
  } catch (error) {
    git(root, "restore", "--staged", "--worktree", "--", ...names);
    throw error;
  }
  git(root, "tag", "--annotate", tag, "--message", `Release ${version}`);
}

/** What a person runs to publish it. */
export const pushCommand = ({ tag }: ReleasePlan): string => `git push --atomic origin ${BRANCH} ${tag}`;

const toText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const git = (root: string, ...args: string[]): string =>
  execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
