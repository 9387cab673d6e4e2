/** Names the tests that passed only when CI ran them once more: each is a fault to find, of the test or the product. */
import type { Reporter, TestCase } from "vitest/node";

export class FlakyReporter implements Reporter {
  readonly #flaky: string[] = [];

  onTestCaseResult(test: TestCase): void {
    if (!test.diagnostic()?.flaky) return;
    const reasons = test.result().errors?.map(({ message }) => message) ?? [];
    this.#flaky.push([`${test.module.relativeModuleId} > ${test.fullName}`, ...reasons].join("\n    "));
  }

  onTestRunEnd(): void {
    if (this.#flaky.length > 0) console.error(`\nPassed only when repeated:\n${this.#flaky.join("\n")}\n`);
  }
}
