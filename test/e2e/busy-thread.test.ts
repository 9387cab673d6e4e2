/**
 * An agent of a plugin that keeps its worker's thread busy for longer than a busy worker keeps its jobs, beside other
 * chats, with a second worker to take over. Proves that the blocking job is known by name: it is given up after one
 * run, and the jobs beside it start again at most once.
 */
import { SECOND } from "@agent-paas/shared/time.ts";
import { afterEach, expect, test } from "vitest";
import { readJobState } from "../support/job-state.ts";
import { FIXTURE_AGENTS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { waitFor } from "../support/wait-for.ts";

/** Half of the execute jobs that a worker runs at once: there is a place for the blocking one while they run. */
const NEIGHBOURS = 10;
/** A busy worker keeps its jobs for 20 s of its own count, which a busy machine stretches; then others take them. */
const BLOCK = 35 * SECOND;
/** Under way when the block begins. */
const NEIGHBOUR = "[[tokens=300 rate=20]] beside";

let platform: TestPlatform;
afterEach(() => platform.stop());

/** The second worker starts last: of two, the one that is not blocked may take every neighbour. */
async function block(config: object) {
  platform = await startTestPlatform({ env: FIXTURE_AGENTS });
  const { alice } = platform;
  const neighbours = await Promise.all(
    Array.from({ length: NEIGHBOURS }, (_, at) => alice.execute(`${NEIGHBOUR} ${at}`)),
  );
  await Promise.all(neighbours.map((jobId) => alice.started(jobId)));
  const blocker = await alice.execute("block", { config }, "blocking");
  await waitFor("the block", async () => (await readJobState(platform, blocker)).attempts === 1);
  await platform.startWorker();
  const ended = await alice.ended(blocker, 90 * SECOND);
  const others = await Promise.all(neighbours.map((jobId) => alice.ended(jobId, 90 * SECOND)));
  return { ended, others };
}

// A run that has done its work when its native call returns may still end; this one goes on to the next call.
test.each<[string, object]>([
  ["an endless loop", { way: "loop", ms: BLOCK }],
  ["native calls", { way: "child", ms: BLOCK, times: 2 }],
])(
  "a job that blocks its worker by %s is given up after one run, and its neighbours start again at most once",
  async (_, config) => {
    const { ended, others } = await block(config);
    expect(ended).toMatchObject({ status: "failed", error: { code: "agent_failed" } });
    expect(ended.error.message).toContain("blocked its worker");
    expect(others.map(({ status }) => status)).toEqual(others.map(() => "completed"));
    expect(others.map(({ attempt }) => attempt).filter((attempt) => attempt > 2)).toEqual([]);
    expect(others.some(({ attempt }) => attempt === 2)).toBe(true);
  },
  180 * SECOND,
);

test(
  "a job that blocks its worker for less than its lock lasts goes on, and nothing is held against it",
  async () => {
    platform = await startTestPlatform({ env: FIXTURE_AGENTS });
    const { alice } = platform;
    const isNoted = async (jobId: string) => (await readJobState(platform, jobId)).blockingToken === 1;
    let hasBeenNoted = false;
    // On a machine that starves the watching thread as well, a block may seem too short for a note.
    for (let tries = 0; tries < 4 && !hasBeenNoted; tries++) {
      const jobId = await alice.execute("block", { config: { ms: 13 * SECOND } }, "blocking");
      const noted = waitFor("the note", () => isNoted(jobId), 25 * SECOND).then(
        () => true,
        () => false,
      );
      expect(await alice.ended(jobId, 60 * SECOND)).toMatchObject({ status: "completed", attempt: 1 });
      hasBeenNoted = await noted;
    }
    expect(hasBeenNoted).toBe(true);
  },
  180 * SECOND,
);
