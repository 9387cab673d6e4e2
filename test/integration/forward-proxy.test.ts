/** A platform behind a proxy, by the settings that other programs have, in lower case. */
import { expect, onTestFinished, test } from "vitest";
import { startForwardProxy } from "../support/forward-proxy.ts";
import { startTestPlatform } from "../support/platform.ts";
import { shownText } from "../support/sse-client.ts";

test("a worker asks its model through http_proxy, and directly with no_proxy", async () => {
  const proxy = await startForwardProxy();
  const platform = await startTestPlatform({ env: { http_proxy: proxy.host } });
  onTestFinished(() => platform.stop());
  const { host } = new URL(platform.modelOrigin);
  const chat = async () => {
    const stream = await platform.alice.chat({ message: "[[text=Answered]] Go" });
    return shownText(await stream.all());
  };
  expect(await chat()).toBe("Answered");
  expect(proxy.asked).toEqual([`POST http://${host}/v1/chat/completions`]);

  const [behind] = platform.workers;
  await platform.startWorker({ http_proxy: proxy.host, no_proxy: host });
  await behind?.stop(10_000);
  expect(await chat()).toBe("Answered");
  expect(proxy.asked).toHaveLength(1);
});
