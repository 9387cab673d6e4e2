import { defineTexts } from "../text/texts.ts";

export const texts = defineTexts({
  chat: { en: "Chat", zh: "聊天" },
  inbox: { en: "Inbox", zh: "待办" },
  jobs: { en: "Jobs", zh: "任务" },
  documents: { en: "Documents", zh: "文档" },
  overview: { en: "Platform", zh: "平台" },
  pages: { en: "Pages", zh: "页面" },
  reference: { en: "API reference", zh: "API 参考" },
  system: { en: "Theme: as the system", zh: "主题：跟随系统" },
  light: { en: "Theme: light", zh: "主题：浅色" },
  dark: { en: "Theme: dark", zh: "主题：深色" },
  language: { en: "中文", zh: "English" },
  signOut: { en: "Forget the key", zh: "清除密钥" },
  keyTitle: { en: "Your API key", zh: "API 密钥" },
  keyHint: {
    en: "npm start prints it and keeps it in data/api-key. A team's keys are in API_KEYS.",
    zh: "npm start 会打印密钥，并保存在 data/api-key 中；团队的密钥在 API_KEYS 里配置。",
  },
  keyRefused: { en: "The platform does not know this key.", zh: "平台不认识这个密钥。" },
  keyField: { en: "Key", zh: "密钥" },
  keepOnDevice: { en: "Keep it on this device", zh: "在此设备上记住" },
  keepOnDeviceHint: {
    en: "Otherwise it is forgotten when this tab is closed.",
    zh: "否则关闭此标签页后即清除。",
  },
  open: { en: "Open", zh: "进入" },
  skip: { en: "Skip to the content", zh: "跳到正文" },
  waitingCount: { en: (count: number) => `${count} waiting`, zh: (count: number) => `${count} 项待处理` },
});
