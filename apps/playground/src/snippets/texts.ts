import { defineTexts } from "../text/texts.ts";

export const texts = defineTexts({
  open: { en: "Show as code", zh: "查看代码" },
  title: { en: "The same in code", zh: "用代码实现" },
  languages: { en: "Language", zh: "语言" },
  client: { en: "client", zh: "客户端" },
  copy: { en: "Copy the code", zh: "复制代码" },
  key: {
    en: "AGENT_PAAS_KEY is the environment variable with your key.",
    zh: "AGENT_PAAS_KEY 是存放密钥的环境变量。",
  },
  none: {
    en: "OpenAI's protocol has no such request. Use curl or the client.",
    zh: "OpenAI 的协议没有对应的请求，请使用 curl 或客户端。",
  },
});
