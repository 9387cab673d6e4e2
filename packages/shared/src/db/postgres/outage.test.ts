import pg from "pg";
import { expect, test } from "vitest";
import { isConnectionFault, isOutage, isOutageOfReads, isUnanswered } from "./outage.ts";

const errorOf = (code: string): Error => Object.assign(new pg.DatabaseError("of a test", 1, "error"), { code });

/** `connection`: for all batches, after which another connection is tried. `alone`: for the one that met it. */
const STATES = {
  connection: {
    "08006": "connection failure",
    "28P01": "wrong password, which may be rotated just now",
    "3D000": "no such database",
    "53300": "too many connections",
    "57P01": "stopped by an administrator",
    "57P02": "another process of the server crashed",
    "57P03": "starts, stops or recovers",
    "25006": "a standby, or a failover that is not over",
    "26000": "a prepared statement that a pooler has taken away",
  },
  alone: {
    "40001": "serialization failure",
    "40P01": "deadlock",
    "53100": "disk full",
    "53200": "out of memory",
    "53400": "a limit of the configuration",
    "55P03": "lock not available",
    "57014": "statement timeout",
    "58030": "fault of the file system",
    "42501": "a right that is missing",
    XX001: "a damaged page",
  },
  job: {
    "22001": "a text too long",
    "22021": "characters that the encoding lacks",
    "23505": "a row twice",
    "42703": "no such column",
    "54000": "a limit of the program",
  },
} as const;

const cases = (kind: keyof typeof STATES) => Object.entries(STATES[kind]);

test.each(cases("connection"))("%s, %s, is an outage that asks for a new connection", (code) => {
  expect([isOutage(errorOf(code)), isConnectionFault(errorOf(code))]).toEqual([true, true]);
});

test.each(cases("alone"))("%s, %s, is an outage for the batch that met it", (code) => {
  expect([isOutage(errorOf(code)), isConnectionFault(errorOf(code))]).toEqual([true, false]);
});

test.each(cases("job"))("%s, %s, is no outage: the statement is at fault", (code) => {
  expect([isOutage(errorOf(code)), isConnectionFault(errorOf(code))]).toEqual([false, false]);
});

test("a write through a reader's connection is no outage, while a server that stops is one for readers too", () => {
  expect(isOutageOfReads(errorOf("25006"))).toBe(false);
  expect(isOutageOfReads(errorOf("57P01"))).toBe(true);
});

test("a server that broke off may have committed, one that refused the connection or the statement has not", () => {
  expect(["57P01", "57P02", "08006"].map((code) => isUnanswered(errorOf(code)))).toEqual([true, true, true]);
  expect(["53300", "53100", "40P01"].map((code) => isUnanswered(errorOf(code)))).toEqual([false, false, false]);
});
