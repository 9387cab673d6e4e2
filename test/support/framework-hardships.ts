/** What befalls agents of every framework: messages of parts, streams that break, tools and runs that fail. */
import { expect, test } from "vitest";
import type { Json } from "./api-client.ts";
import type { FrameworkPlatform } from "./framework-platform.ts";
import { fresh } from "./fresh.ts";
import { shownText, thoughtsOf } from "./sse-client.ts";

const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const IMAGE = `data:image/png;base64,${PIXEL}`;
const PDF = `data:application/pdf;base64,${Buffer.from("%PDF-1.4").toString("base64")}`;

export function hardshipsContract(framework: FrameworkPlatform): void {
  const { agent, written } = framework;

  test("an image and a file of a message reach the provider, and the next turn of the session has them", async () => {
    const { alice, model } = framework.platform;
    const [what, more] = [fresh("What is this?"), fresh("A red pixel?")];
    const message = [
      { type: "text", text: `[[text=A%20pixel.]] ${what}` },
      { type: "image_url", image_url: { url: IMAGE } },
      { type: "file", file: { filename: "a.pdf", file_data: PDF } },
    ];
    const first = await alice.chat({ agent_type: agent("desk"), message });
    expect(shownText(await first.all())).toBe("A pixel.");
    const next = { agent_type: agent("desk"), session_id: first.sessionId, message: `[[text=Yes.]] ${more}` };
    await (await alice.chat(next)).all();
    for (const asked of [what, more]) {
      const [call] = await model.calls({ contains: asked });
      const messages: readonly Json[] = (await model.call(call?.id ?? 0)).messages ?? [];
      const parts = messages.find(({ content }) => JSON.stringify(content).includes(what))?.content;
      expect(parts).toMatchObject([
        { type: "text", text: `[[text=A%20pixel.]] ${what}` },
        { type: "image_url", image_url: { url: IMAGE } },
        { type: "file", file: { filename: "a.pdf", file_data: PDF } },
      ]);
    }
  });

  test.each(["cut", "malformed", "error_chunk"])(
    "a stream that breaks off by %s after a call is asked for again, and the call is not made again",
    async (fault) => {
      const { alice, model } = framework.platform;
      const day = fresh(fault);
      const call = `reserve({"day":"${day}","name":"Flo"})`;
      const message = `[[calls=${call} text=One%20two%20three%20four. fault=${fault} after=2 turn=1 times=1]] ${day}`;
      const chat = await alice.chat({ agent_type: agent("desk"), message });
      const events = await chat.all();
      expect(await alice.job(chat.jobId)).toMatchObject({ status: "completed", attempt: 2 });
      expect(shownText(events)).toBe("One two three four.");
      expect((await written()).filter((line) => line === `${day} Flo`)).toHaveLength(1);
      expect(await model.calls({ contains: `]] ${day}` })).toHaveLength(3);
    },
  );

  test("the error that a tool throws is kept from the model, which reads that the tool failed", async () => {
    const { alice } = framework.platform;
    const chat = await alice.chat({ agent_type: agent("guarded"), message: "[[calls=fails({})]] Fail" });
    const events = await chat.all();
    expect(thoughtsOf(events, "tool_result")).toMatchObject([{ name: "fails", status: "error" }]);
    expect(shownText(events)).toContain("The tool failed.");
    expect(JSON.stringify(events)).not.toContain("hunter2");
  });
}

/** Of frameworks of which the agent makes the call. */
export function streamlessContract(framework: FrameworkPlatform): void {
  test("an agent that returns its framework's result instead of a stream fails with the reason", async () => {
    const { alice } = framework.platform;
    const job = await alice.ended(await alice.execute("[[text=Hi]] Hi", {}, framework.agent("streamless")));
    expect(job).toMatchObject({
      status: "failed",
      attempt: 1,
      error: { code: "agent_failed", message: expect.stringContaining("returned no stream") },
    });
  });
}
