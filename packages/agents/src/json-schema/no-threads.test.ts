/** A process that may start no threads at present: that is no fault of a schema, and a later try may succeed. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const here = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);

/** Runs the program in a process to which Node refuses threads; resolves with the value that it prints as JSON. */
async function runWithoutThreads(program: string): Promise<unknown> {
  const args = ["--permission", "--allow-fs-read=*", "--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 15_000 });
  return JSON.parse(stdout);
}

const FAILURE = { name: "PlatformError", code: "agent_unavailable", retryable: true };
const PRINT_FAILURES = `
  const failureOf = (work) => work.then(() => "none", ({ name, code, retryable }) => ({ name, code, retryable }));
  const print = async (...all) => console.log(JSON.stringify(await Promise.all(all.map(failureOf))));
`;

test("a schema that cannot be compiled for want of threads is no invalid schema", async () => {
  const program = `
    import { compileSchema } from ${here("./json-schema.ts")};
    ${PRINT_FAILURES}
    await print(compileSchema({ type: "object" }, "ann"), compileSchema({ $ref: "#" }, "bob"));
  `;
  expect(await runWithoutThreads(program)).toEqual([FAILURE, FAILURE]);
});

test("an answer with a response_schema fails as retryable for want of threads", async () => {
  const program = `
    import { answer } from ${here("../answer/answer.ts")};
    ${PRINT_FAILURES}
    const { signal } = new AbortController();
    await print(answer({ messages: [], responseSchema: { type: "object" } }, { signal, owner: "ann" }).next());
  `;
  expect(await runWithoutThreads(program)).toEqual([FAILURE]);
});

test("the arguments of an MCP tool are not let through for want of threads, nor is their check given up", async () => {
  const program = `
    import { createMcpTool } from ${here("../tools/mcp/mcp-tool.ts")};
    import { readTool } from ${here("../tools/mcp/read-tool.ts")};
    ${PRINT_FAILURES}
    const listed = readTool({ name: "t", inputSchema: { type: "object", required: ["n"] } });
    const tool = createMcpTool("s__t", listed, async () => {});
    await tool.parse({}, "ann").catch(() => {});
    await print(tool.parse({}, "ann"));
  `;
  expect(await runWithoutThreads(program)).toEqual([FAILURE]);
});

test("a plan is not taken as fitting for want of threads", async () => {
  const program = `
    import { findProblem } from ${here("../orchestration/plan.ts")};
    ${PRINT_FAILURES}
    const agents = [{ id: "chat", description: "", tools: [], config_schema: { type: "object" } }];
    const steps = [{ id: "a", agent: "chat", task: "t", config: {}, depends_on: [], on_failure: "stop" }];
    await print(findProblem({ steps }, agents, "ann"));
  `;
  expect(await runWithoutThreads(program)).toEqual([FAILURE]);
});
