/**
 * CHANGELOG.md: one section of second level for each version, the newest first, and "Unreleased" above them for what
 * has changed since. Everything here is text in, text out.
 */

export const UNRELEASED = "Unreleased";

export type Section = {
  /** `null` for the part above the first heading. */
  readonly version: string | null;
  readonly date: string | null;
  /** What stands below the heading, without blank lines around it. */
  readonly body: string;
};

const HEADING = /^## (\S+)(?: - (\d{4}-\d{2}-\d{2}))?$/;

export function readSections(changelog: string): Section[] {
  return changelog.split(/^(?=## )/m).map((part) => {
    const [heading = "", ...lines] = part.split("\n");
    if (!heading.startsWith("## ")) return { version: null, date: null, body: part.trim() };
    const [, version = null, date = null] = HEADING.exec(heading) ?? [];
    if (version === null) throw new Error(`CHANGELOG.md has a heading of another form: "${heading}"`);
    return { version, date, body: lines.join("\n").trim() };
  });
}

/** Why the changelog cannot be released yet; `null` when it can. */
export function findPending(changelog: string): string | null {
  const [, newest] = readSections(changelog);
  if (newest?.version !== UNRELEASED) return `CHANGELOG.md has no heading "## ${UNRELEASED}" above its versions`;
  const says = newest.body.split("\n").some((line) => line.trim() !== "" && !line.startsWith("#"));
  return says ? null : `CHANGELOG.md says nothing under "## ${UNRELEASED}"`;
}

/** Gives what is unreleased its version and date, and opens an empty "Unreleased" above it. */
export function releaseChangelog(changelog: string, version: string, date: string): string {
  const pending = findPending(changelog);
  if (pending !== null) throw new Error(pending);
  return changelog.replace(`## ${UNRELEASED}\n`, `## ${UNRELEASED}\n\n## ${version} - ${date}\n`);
}

/** What the changelog says of a version. */
export function readNotes(changelog: string, version: string): string {
  const section = readSections(changelog).find((each) => each.version === version);
  if (section === undefined || section.body === "") throw new Error(`CHANGELOG.md says nothing of ${version}`);
  return section.body;
}
