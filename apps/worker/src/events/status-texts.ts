/** The status texts that the platform itself publishes in the stream of a job, in the client's language. */
import type { Locale } from "@agent-paas/shared/contract/locale.ts";

export const STATUS_TEXTS: Record<
  Locale,
  {
    queued: (ahead: number) => string;
    processing: (agent: string) => string;
    startingOver: (attempt: number) => string;
    goingOn: string;
    retryingIn: (seconds: number) => string;
    startingIsolated: (unfinishedAttempts: number, seconds: number) => string;
    requeued: string;
    fallingBack: (failed: string, code: string, next: string) => string;
    approvalRequired: (tool: string) => string;
  }
> = {
  zh: {
    queued: (ahead) => `排队中，前面还有 ${ahead} 个任务...`,
    processing: (agent) => `正在使用 ${agent} 处理...`,
    startingOver: (attempt) => `重新开始（第 ${attempt} 次尝试）...`,
    goingOn: "已收到决定，继续执行...",
    retryingIn: (seconds) => `暂时出错，${seconds} 秒后重试...`,
    startingIsolated: (unfinishedAttempts, seconds) =>
      `执行进程已异常退出 ${unfinishedAttempts} 次，${seconds} 秒后单独重试...`,
    requeued: "服务正在重启，任务将由其他进程继续...",
    fallingBack: (failed, code, next) => `模型 ${failed} 不可用（${code}），改用 ${next}...`,
    approvalRequired: (tool) => `需要批准：${tool}`,
  },
  en: {
    queued: (ahead) => `Queued, ${ahead} ahead in this session...`,
    processing: (agent) => `Processing with ${agent}...`,
    startingOver: (attempt) => `Starting over (attempt ${attempt})...`,
    goingOn: "Going on with what was decided...",
    retryingIn: (seconds) => `A passing error, retrying in ${seconds} s...`,
    startingIsolated: (unfinishedAttempts, seconds) =>
      `Lost its worker ${unfinishedAttempts} times, starting again on its own in ${seconds} s...`,
    requeued: "The service is restarting, another process takes over...",
    fallingBack: (failed, code, next) => `The model ${failed} failed (${code}), asking ${next}...`,
    approvalRequired: (tool) => `Needs an approval: ${tool}`,
  },
};
