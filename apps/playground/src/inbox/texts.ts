import { defineTexts } from "../text/texts.ts";

export const texts = defineTexts({
  title: { en: "Inbox", zh: "待办" },
  intro: { en: "Jobs that wait for a person to decide.", zh: "等待人工处理的任务。" },
  empty: { en: "Nothing waits for you.", zh: "没有等待处理的事项。" },
  job: { en: "Job", zh: "任务" },
  chat: { en: "Open chat", zh: "打开会话" },
  since: { en: (age: string) => `started ${age}`, zh: (age: string) => `${age}创建` },
  wantsToCall: { en: "Wants to call", zh: "请求调用" },
  arguments: { en: "Arguments", zh: "参数" },
  approve: { en: "Approve", zh: "批准" },
  approveEdited: { en: "Approve as edited", zh: "按修改后的参数批准" },
  edit: { en: "Edit arguments", zh: "修改参数" },
  reject: { en: "Reject", zh: "拒绝" },
  reason: { en: "Reason (the model reads it)", zh: "理由（会告诉模型）" },
  back: { en: "Back", zh: "返回" },
  question: { en: "Question", zh: "问题" },
  answer: { en: "Answer", zh: "回答" },
  send: { en: "Send answer", zh: "提交回答" },
  decline: { en: "Decline", zh: "不回答" },
  notAnObject: { en: "Arguments must be a JSON object.", zh: "参数必须是 JSON 对象。" },
  expiresIn: { en: (time: string) => `expires in ${time}`, zh: (time: string) => `${time}后过期` },
  expired: { en: "expired", zh: "已过期" },
  decidedElsewhere: {
    en: "Someone else has decided this differently. That decision stands; yours was not used.",
    zh: "其他人已经作出了不同的决定，以该决定为准，您的决定没有生效。",
  },
  noLongerWaits: {
    en: "The job no longer waits for this: it has ended, was cancelled, or the request has expired.",
    zh: "任务已不再等待这个决定：它已结束、被取消，或者请求已过期。",
  },
});
