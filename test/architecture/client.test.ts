/** `packages/client` is published alone: what it knows of the platform is copied, and held equal here. */
import { expect, test } from "vitest";
import { RETRYABLE_CODES } from "../../packages/client/src/errors.ts";
import { ERROR_CODES } from "../../packages/shared/src/errors/codes.ts";
import { readText } from "../support/sources.ts";
import { pathOfWireFile, WIRE_FILES, wireTypes } from "../support/wire-types.ts";

test.each(WIRE_FILES)("the client's types of %s are those of the OpenAPI document (npm run client-types)", (file) => {
  expect(readText(pathOfWireFile(file))).toBe(wireTypes(file));
});

test("the codes that the client calls retryable are those of the table of errors", () => {
  const retryable = Object.entries(ERROR_CODES).filter(([, entry]) => entry.retryable);
  expect([...RETRYABLE_CODES].sort()).toEqual(retryable.map(([code]) => code).sort());
});
