import { expect, test } from "vitest";
import { createStreamShare } from "./stream-share.ts";

test("a share of streams is full at its limit, for that owner alone, and a place given back twice counts once", () => {
  const share = createStreamShare(2);
  const [release] = [share.take("alice"), share.take("alice")];
  expect(() => share.take("alice")).toThrow(expect.objectContaining({ code: "open_streams_limit", status: 429 }));
  share.take("bob");
  release();
  release();
  share.take("alice");
  expect(() => share.take("alice")).toThrow(expect.objectContaining({ code: "open_streams_limit" }));
});
