import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { createLineSink, type LineSink } from "./line-sink.ts";
import { type Chunk, type LogOutput, openTerminal } from "./log-output.ts";

/** An output in memory that can be made to fail, and what the sink has reported. */
function open(): { sink: LineSink; chunks: string[]; reports: string[]; breakIt: (error: Error | null) => void } {
  let fault: Error | null = null;
  const chunks: string[] = [];
  const take = (bytes: Buffer) => {
    if (fault === null) chunks.push(bytes.toString());
    return fault;
  };
  const output: LogOutput = {
    async append(chunk) {
      const error = take(chunk.bytes);
      if (error === null) chunk.written = chunk.bytes.length;
      return error;
    },
    appendSync: take,
  };
  const { sink, reports } = openOn(output);
  return {
    sink,
    chunks,
    reports,
    breakIt: (error) => {
      fault = error;
    },
  };
}

function openOn(output: LogOutput) {
  const reports: string[] = [];
  const sink = createLineSink(output, {
    failed: (error, dropped) => void reports.push(`${error.message}: ${dropped}`),
    recovered: (dropped) => void reports.push(`recovered: ${dropped}`),
    recoveryLine: (dropped) => `dropped ${dropped}\n`,
  });
  return { sink, reports };
}

test("lines are written together after a short time", async () => {
  const { sink, chunks } = open();
  sink.write("one\n");
  sink.write("two\n");
  expect(chunks).toEqual([]);
  await vi.waitFor(() => expect(chunks).toEqual(["one\ntwo\n"]));
});

test("sent lines are written at once, after the lines before them", () => {
  const { sink, chunks } = open();
  sink.write("one\n");
  sink.write("two\n");
  sink.send();
  expect(chunks).toEqual(["one\ntwo\n"]);
});

test("lines that come while others are written share the next write, and sent ones do not wait for it", async () => {
  const { sink, chunks } = open();
  sink.write("one\n");
  sink.send();
  sink.write("two\n");
  await new Promise(setImmediate);
  expect(chunks).toEqual(["one\n"]);
  sink.write("three\n");
  await vi.waitFor(() => expect(chunks).toEqual(["one\n", "two\nthree\n"]));
  sink.write("four\n");
  sink.send();
  sink.write("five\n");
  sink.send();
  await new Promise(setImmediate);
  expect(chunks.slice(2)).toEqual(["four\n", "five\n"]);
});

test("a flush writes all lines, and so does a synchronous one", async () => {
  const { sink, chunks } = open();
  sink.write("one\n");
  await sink.flush();
  expect(chunks).toEqual(["one\n"]);
  sink.write("two\n");
  sink.flushSync();
  expect(chunks).toEqual(["one\n", "two\n"]);
});

test("lines that an output refuses are dropped and counted, and stated first when it takes lines again", async () => {
  const { sink, chunks, reports, breakIt } = open();
  breakIt(new Error("full"));
  sink.write("one\n");
  sink.write("two\n");
  await sink.flush();
  sink.write("three\n");
  sink.flushSync();
  expect(reports).toEqual(["full: 2", "full: 3"]);
  breakIt(null);
  // Nothing is written meanwhile: the sink asks by itself.
  await vi.waitFor(() => expect(reports.at(-1)).toBe("recovered: 3"), { timeout: 10_000 });
  sink.write("four\n");
  await sink.flush();
  expect(chunks).toEqual(["dropped 3\n", "four\n"]);
});

test("an output that hangs costs a bounded amount of memory, and its lines are counted", () => {
  const { sink, reports } = openOn({ append: () => new Promise(() => {}), appendSync: () => null });
  const megabyte = `${"x".repeat(1024 * 1024 - 1)}\n`;
  for (let line = 0; line < 18; line++) {
    sink.write(megabyte);
    sink.send();
  }
  expect(reports).toEqual(["too many lines wait to be written: 17"]);
});

test("a terminal on a full disk is reported with its error", async () => {
  const fd = openSync("/dev/full", "w");
  onTestFinished(() => closeSync(fd));
  const { sink, reports } = openOn(openTerminal(fd));
  sink.write("one\n");
  await sink.flush();
  sink.write("two\n");
  sink.flushSync();
  expect(reports).toEqual([expect.stringMatching(/ENOSPC.*: 1$/), expect.stringMatching(/ENOSPC.*: 2$/)]);
});

/** A pipe of which the test holds both ends. */
function openFifo(): number {
  const directory = mkdtempSync(join(tmpdir(), "agent-paas-fifo-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "fifo");
  execFileSync("mkfifo", [path]);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(fd));
  return fd;
}

test("a terminal whose reader is busy gets every line later, without half ones", async () => {
  const fd = openFifo();
  const { sink, reports } = openOn(openTerminal(fd));
  const line = `${"x".repeat(99)}\n`;
  for (let count = 0; count < 5_000; count++) sink.write(line);
  const flushed = sink.flush();
  let read = "";
  await vi.waitFor(() => {
    const buffer = Buffer.alloc(65_536);
    read += buffer.toString("utf8", 0, readSync(fd, buffer));
    expect(read.length).toBeGreaterThanOrEqual(5_000 * line.length);
  });
  await flushed;
  expect(read).toBe(line.repeat(5_000));
  expect(reports).toEqual([]);
});

test("a line that follows one that a terminal took by half begins on its own line", async () => {
  const fd = openFifo();
  const terminal = openTerminal(fd);
  const chunkOf = (text: string): Chunk => ({ bytes: Buffer.from(text), written: 0, state: "queued" });
  const tooMuch = chunkOf(`${"x".repeat(999)}\n`.repeat(1_000));
  expect(await terminal.append(tooMuch)).toMatchObject({ code: "EAGAIN" });
  expect(tooMuch.written % 1_000).not.toBe(0);
  const buffer = Buffer.alloc(tooMuch.written);
  expect(readSync(fd, buffer)).toBe(tooMuch.written);
  expect(await terminal.append(chunkOf("two\n"))).toBeNull();
  expect(terminal.appendSync(Buffer.from("three\n"))).toBeNull();
  expect(buffer.toString("utf8", 0, readSync(fd, buffer))).toBe("\ntwo\nthree\n");
});
