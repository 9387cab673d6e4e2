import { expect, test } from "vitest";
import { findPending, readNotes, readSections, releaseChangelog } from "./changelog.ts";

const CHANGELOG = `# Changelog

What changed.

## Unreleased

### Added

- A thing of \`use\`.

## 0.1.0 - 2026-11-22

- The first.
`;

test("a changelog is read as its sections", () => {
  expect(readSections(CHANGELOG)).toEqual([
    { version: null, date: null, body: "# Changelog\n\nWhat changed." },
    { version: "Unreleased", date: null, body: "### Added\n\n- A thing of `use`." },
    { version: "0.1.0", date: "2026-11-22", body: "- The first." },
  ]);
});

test("a heading that is neither a version nor Unreleased is an error that shows it", () => {
  expect(() => readSections("## Version 3, at last\n")).toThrow('another form: "## Version 3, at last"');
});

test("what is unreleased becomes the version, and an empty Unreleased stands above it", () => {
  const released = releaseChangelog(CHANGELOG, "0.2.0", "2026-12-01");
  expect(released).toBe(CHANGELOG.replace("## Unreleased", "## Unreleased\n\n## 0.2.0 - 2026-12-01"));
  expect(readNotes(released, "0.2.0")).toBe("### Added\n\n- A thing of `use`.");
  expect(() => releaseChangelog(released, "0.3.0", "2026-12-02")).toThrow('says nothing under "## Unreleased"');
});

test.each([
  ["## Unreleased\n\n### Added\n\n## 0.1.0 - 2026-11-22\n\n- The first.\n", "says nothing under"],
  ["## 0.1.0 - 2026-11-22\n\n- The first.\n\n## Unreleased\n\n- Late.\n", "has no heading"],
  ["", "has no heading"],
])("a changelog without news to release is told so: %j", (changelog, problem) => {
  expect(findPending(`# Changelog\n\n${changelog}`)).toContain(problem);
});

test("notes of a version that the changelog does not know are an error", () => {
  expect(() => readNotes(CHANGELOG, "0.9.0")).toThrow("CHANGELOG.md says nothing of 0.9.0");
});
