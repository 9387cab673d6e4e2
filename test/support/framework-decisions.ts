/** What a person decides of the calls of a framework's tools: the platform's own approvals. */
import { expect, test } from "vitest";
import type { FrameworkPlatform } from "./framework-platform.ts";
import { fresh } from "./fresh.ts";
import { thoughtsOf } from "./sse-client.ts";
import { decide, waitingFor } from "./waiting-job.ts";

export function decisionsContract(framework: FrameworkPlatform): void {
  const { agent, written, notesOn } = framework;
  const execute = (task: string) => framework.platform.alice.execute(task, {}, agent("guarded"));
  const madeTimes = async (line: string) => (await written()).filter((each) => each === line).length;

  async function paying(to: string) {
    const jobId = await execute(`[[calls=pay({"to":"${to}"})]] Pay ${to}`);
    const [asked] = await waitingFor(framework.platform.alice, jobId);
    expect(asked).toMatchObject({ type: "approval", tool: "pay", arguments: { to } });
    expect(await madeTimes(`paid ${to}`)).toBe(0);
    return {
      async decided(decision: object) {
        const { alice } = framework.platform;
        await decide(alice, jobId, { request_id: asked.request_id, ...decision });
        return alice.ended(jobId);
      },
    };
  }

  test("a call beside one that needs an approval is finished before the job waits, and is not made again", async () => {
    const { alice } = framework.platform;
    const ann = fresh("Ann");
    const jobId = await execute(`[[calls=pay({"to":"${ann}"});note({"on":"${ann}"})]] Pay ${ann}`);
    const [note] = await notesOn(ann);
    note?.end(`a note on ${ann}`);
    const [asked] = await waitingFor(alice, jobId);
    await decide(alice, jobId, { request_id: asked.request_id, decision: "approve" });
    const job = await alice.ended(jobId);
    expect(job).toMatchObject({ status: "completed", attempt: 2 });
    expect(job.result.content).toContain(`a note on ${ann}`);
    expect(await madeTimes(`paid ${ann}`)).toBe(1);
    expect(await notesOn(ann)).toHaveLength(1);
    expect(await framework.platform.model.calls({ contains: `Pay ${ann}` })).toHaveLength(2);
    const events = await (await alice.follow(jobId)).all();
    expect(thoughtsOf(events, "tool_result")).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: "note", status: "ok", result: `a note on ${ann}`, replayed: true }),
        expect.objectContaining({ name: "pay", status: "ok", result: `paid ${ann}`, replayed: false }),
      ]),
    );
  });

  test("calls that a person approves, rejects or edits are decided by another worker than the one that asked", async () => {
    const [bo, cy, di, eve] = [fresh("Bo"), fresh("Cy"), fresh("Di"), fresh("Eve")];
    const [approved, rejected, edited] = [await paying(bo), await paying(cy), await paying(di)];
    await framework.replaceWorker();
    const first = await approved.decided({ decision: "approve" });
    expect(first).toMatchObject({ status: "completed", result: { content: expect.stringContaining(`paid ${bo}`) } });
    expect(await madeTimes(`paid ${bo}`)).toBe(1);
    const second = await rejected.decided({ decision: "reject", reason: "too dear" });
    expect(second).toMatchObject({ status: "completed", result: { content: expect.stringContaining("too dear") } });
    expect(await madeTimes(`paid ${cy}`)).toBe(0);
    const third = await edited.decided({ decision: "edit", arguments: { to: eve } });
    expect(third).toMatchObject({ status: "completed" });
    expect(third.result.content).toMatch(new RegExp(`A person changed the arguments.*paid ${eve}`, "s"));
    expect([await madeTimes(`paid ${di}`), await madeTimes(`paid ${eve}`)]).toEqual([0, 1]);
    for (const to of [bo, cy, di]) {
      expect(await framework.platform.model.calls({ contains: `Pay ${to}` })).toHaveLength(2);
    }
  });

  test("two calls that need approvals are asked together", async () => {
    const { alice } = framework.platform;
    const [flo, gus] = [fresh("Flo"), fresh("Gus")];
    const jobId = await execute(`[[calls=pay({"to":"${flo}"});pay({"to":"${gus}"})]] Pay both`);
    const asked = await waitingFor(alice, jobId, 2);
    const decisions = asked.map(({ request_id, arguments: { to } }) =>
      to === flo ? { request_id, decision: "approve" } : { request_id, decision: "reject", reason: "not him" },
    );
    await decide(alice, jobId, ...decisions);
    const job = await alice.ended(jobId);
    expect(job).toMatchObject({ status: "completed", attempt: 2 });
    expect(job.result.content).toMatch(new RegExp(`paid ${flo}.*not him`, "s"));
    expect([await madeTimes(`paid ${flo}`), await madeTimes(`paid ${gus}`)]).toEqual([1, 0]);
  });
}
