/** The status of a job, as a word with a coloured dot. */
import type { Job } from "@agent-paas/client";
import { defineTexts } from "../text/texts.ts";

const words = defineTexts({
  queued: { en: "queued", zh: "排队中" },
  running: { en: "running", zh: "运行中" },
  waiting: { en: "waiting for you", zh: "等待处理" },
  completed: { en: "completed", zh: "已完成" },
  failed: { en: "failed", zh: "失败" },
  cancelled: { en: "cancelled", zh: "已取消" },
});

export const statusWord = (status: Job["status"]): string => words[status];

export const StatusBadge = ({ status }: { readonly status: Job["status"] }) => (
  <span class={`badge ${status}`}>{words[status]}</span>
);
