/** The texts of the status thoughts that built-in agents show to people, by language. */
import type { JobError } from "@agent-paas/shared/contract/jobs.ts";
import type { Locale } from "@agent-paas/shared/contract/locale.ts";
import type { MarkedEnd } from "../model/last-turn.ts";

type AgentTexts = {
  /** The answer did not fit its schema, and the model is asked once more. */
  readonly repairing: (problem: string) => string;
  readonly ended: Readonly<Record<MarkedEnd, string>>;
  readonly planning: string;
  readonly repairingPlan: (problem: string) => string;
  readonly planned: (count: number, steps: string) => string;
  readonly stepStarted: (step: string, agent: string) => string;
  readonly stepCompleted: (step: string) => string;
  readonly stepFailed: (step: string, error: JobError) => string;
  readonly stepRetrying: (step: string, error: JobError) => string;
  /** `failed` is the step whose failure stopped the plan. */
  readonly stepSkipped: (step: string, failed: string) => string;
  readonly stepsEnded: (count: number, of: number) => string;
  readonly joining: string;
};

export const AGENT_TEXTS: Readonly<Record<Locale, AgentTexts>> = {
  zh: {
    repairing: (problem) => `回答不符合 response_schema（${problem}），正在重新请求...`,
    ended: {
      length: "回答不完整：模型已达到输出 token 上限",
      content_filter: "回答被模型服务商的内容过滤器中止",
      refusal: "模型拒绝回答",
    },
    planning: "正在制定计划...",
    repairingPlan: (problem) => `计划无法执行（${problem}），正在重新制定...`,
    planned: (count, steps) => `计划共 ${count} 步：${steps}`,
    stepStarted: (step, agent) => `步骤 ${step} 开始（${agent}）`,
    stepCompleted: (step) => `步骤 ${step} 完成`,
    stepFailed: (step, { code, message }) => `步骤 ${step} 失败：${code}：${message}`,
    stepRetrying: (step, { code }) => `步骤 ${step} 失败（${code}），正在重试...`,
    stepSkipped: (step, failed) => `步骤 ${step} 已跳过，因为步骤 ${failed} 失败`,
    stepsEnded: (count, of) => `已完成 ${count}/${of} 步`,
    joining: "正在汇总结果...",
  },
  en: {
    repairing: (problem) => `The answer does not fit the response_schema (${problem}), asking again...`,
    ended: {
      length: "The answer is cut: the model reached its limit of output tokens",
      content_filter: "The content filter of the model's provider stopped the answer",
      refusal: "The model refused to answer",
    },
    planning: "Making a plan...",
    repairingPlan: (problem) => `The plan cannot be carried out (${problem}), asking again...`,
    planned: (count, steps) => `Plan of ${count} ${count === 1 ? "step" : "steps"}: ${steps}`,
    stepStarted: (step, agent) => `Step ${step} started (${agent})`,
    stepCompleted: (step) => `Step ${step} completed`,
    stepFailed: (step, { code, message }) => `Step ${step} failed: ${code}: ${message}`,
    stepRetrying: (step, { code }) => `Step ${step} failed (${code}), trying again...`,
    stepSkipped: (step, failed) => `Step ${step} skipped, because step ${failed} failed`,
    stepsEnded: (count, of) => `${count} of ${of} steps ended`,
    joining: "Joining the results...",
  },
};
