import { formatNumber } from "../text/format.ts";
import { defineTexts } from "../text/texts.ts";
import type { Problem } from "./problems.ts";

export const texts = defineTexts({
  required: { en: "required", zh: "必填" },
  none: { en: "null", zh: "null" },
  notSet: { en: "not set", zh: "未设置" },
  defaultOf: { en: (value: string) => `default: ${value}`, zh: (value: string) => `默认：${value}` },
  yes: { en: "yes", zh: "是" },
  no: { en: "no", zh: "否" },
  lines: { en: "One per line.", zh: "每行一个。" },
  json: { en: "JSON", zh: "JSON" },
  missing: { en: "This is needed.", zh: "此项必填。" },
  not_json: { en: "This is not valid JSON.", zh: "不是有效的 JSON。" },
  not_exact: {
    en: "A number is too large to be sent as it is written.",
    zh: "数字过大，无法原样发送。",
  },
  not_a_number: { en: "This is not a number.", zh: "不是数字。" },
  not_an_integer: { en: "This must be a whole number.", zh: "必须是整数。" },
  not_a_choice: { en: "This is none of the choices.", zh: "不在可选值之内。" },
  not_of_type: { en: (type: string) => `This must be of type ${type}.`, zh: (type: string) => `类型必须是 ${type}。` },
  pattern: {
    en: (pattern: string) => `This must match ${pattern}`,
    zh: (pattern: string) => `必须匹配 ${pattern}`,
  },
  least: { en: (bound: string) => `At least ${bound}.`, zh: (bound: string) => `不能小于 ${bound}。` },
  most: { en: (bound: string) => `At most ${bound}.`, zh: (bound: string) => `不能大于 ${bound}。` },
  above: { en: (bound: string) => `More than ${bound}.`, zh: (bound: string) => `必须大于 ${bound}。` },
  below: { en: (bound: string) => `Less than ${bound}.`, zh: (bound: string) => `必须小于 ${bound}。` },
  shortest: { en: (bound: string) => `At least ${bound} characters.`, zh: (bound: string) => `至少 ${bound} 个字符。` },
  longest: { en: (bound: string) => `At most ${bound} characters.`, zh: (bound: string) => `最多 ${bound} 个字符。` },
  fewest: { en: (bound: string) => `At least ${bound} entries.`, zh: (bound: string) => `至少 ${bound} 项。` },
  most_items: { en: (bound: string) => `At most ${bound} entries.`, zh: (bound: string) => `最多 ${bound} 项。` },
});

export function describeProblem(problem: Problem): string {
  switch (problem.kind) {
    case "missing":
    case "not_json":
    case "not_exact":
    case "not_a_number":
    case "not_an_integer":
    case "not_a_choice":
      return texts[problem.kind];
    case "not_of_type":
      return texts.not_of_type(problem.type);
    case "pattern":
      return texts.pattern(problem.pattern);
    default:
      return texts[problem.kind](formatNumber(problem.bound, 6));
  }
}
