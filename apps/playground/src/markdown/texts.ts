import { defineTexts } from "../text/texts.ts";

export const texts = defineTexts({
  table: { en: "Table", zh: "表格" },
  image: {
    en: (name: string) => `Image: ${name || "without a name"}`,
    zh: (name: string) => `图片：${name || "未命名"}`,
  },
});
