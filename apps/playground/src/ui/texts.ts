import { defineTexts } from "../text/texts.ts";

export const texts = defineTexts({
  close: { en: "Close", zh: "关闭" },
  copy: { en: "Copy", zh: "复制" },
  copied: { en: "Copied", zh: "已复制" },
  notCopied: { en: "The browser did not allow copying.", zh: "浏览器不允许复制。" },
  keep: { en: "Cancel", zh: "取消" },
  retry: { en: "Try again", zh: "重试" },
  loading: { en: "Loading", zh: "加载中" },
  more: { en: "Show more", zh: "显示更多" },
});
