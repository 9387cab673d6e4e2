import { expect, test } from "vitest";
import { ResponseReader } from "./response-reader.ts";

function read(text: string, size: number): string[] {
  const seen: string[] = [];
  let body = "";
  const reader = new ResponseReader({
    status: (code) => seen.push(`status ${code}`),
    body: (piece) => {
      body += piece;
    },
    end: () => {
      seen.push(body);
      body = "";
    },
  });
  for (let at = 0; at < text.length; at += size) reader.push(text.slice(at, at + size));
  return seen;
}

test("consecutive chunked and fixed-length responses are read wherever the text is split", () => {
  const text =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nb\r\n, \r\n\r\nworld\r\n0\r\n\r\n" +
    "HTTP/1.1 202 Accepted\r\ncontent-length: 4\r\n\r\n{..}" +
    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" +
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  for (let size = 1; size <= text.length; size++) {
    expect(read(text, size)).toEqual([
      "status 200",
      "hello, \r\n\r\nworld",
      ...["status 202", "{..}"],
      ...["status 404", ""],
      ...["status 200", ""],
    ]);
  }
});
