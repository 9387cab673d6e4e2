import { describe, expect, test } from "vitest";
import { MOST_SCANS, slownessOf } from "../../../../test/support/slowness.ts";
import { finerTermsOf, termsOf } from "./terms.ts";

describe("text without blanks", () => {
  test.each([
    ["Chinese behind a Latin word", "Redis是什么？", ["redis", "是什", "什么"]],
    ["Chinese behind a number", "2018年发布", ["2018", "年发", "发布"]],
    ["Chinese before, between and behind", "用Redis和SQLite存储", ["用", "redis", "和", "sq", "lit", "sqlite", "存储"]],
    ["one character alone", "第5章", ["第", "5", "章"]],
    ["characters beyond 16 bits", "𠮷野家", ["𠮷野", "野家"]],
    ["a variant of a character", "禰\u{e0100}豆子", ["禰豆", "豆子"]],
    ["kana", "Redisはデータベース", ["redis", "はデ", "デー", "ータ", "タベ", "ベー", "ース"]],
    ["half-width kana", "ﾃﾞｰﾀ", ["デー", "ータ"]],
    ["Hangul", "Redis는 무엇인가", ["redis", "는", "무엇", "엇인", "인가"]],
    ["decomposed Hangul", "한국어".normalize("NFD"), ["한국", "국어"]],
    ["bopomofo", "ㄅㄆㄇ", ["ㄅㄆ", "ㄆㄇ"]],
    ["Thai", "ใช้Redisกับข้อมูล", ["ใช้", "redis", "กับ", "บข้", "ข้อ", "อมู", "มูล"]],
    ["Lao", "API ພາສາ", ["api", "ພາ", "າສ", "ສາ"]],
    ["Khmer", "v2ភាសា", ["v", "2", "v2", "ភាសា"]],
    ["Myanmar", "မြန်မာ", ["မြန်", "န်မာ"]],
  ])("%s is cut into pairs of its own", (_, text, terms) => {
    expect(termsOf(text)).toEqual(terms);
  });

  test("the finer terms have single characters too", () => {
    expect(finerTermsOf("王羲之a")).toEqual(["王", "羲", "之", "王羲", "羲之", "a"]);
  });
});

test.each([
  ["plurals and endings", "Queries streaming queued Stopped classes", ["query", "stream", "queu", "stop", "class"]],
  ["camel case", "agentType HTTPServer", ["agent", "typ", "agenttype", "http", "server", "httpserver"]],
  ["snake case", "LOG_DIR", ["log", "dir", "logdir"]],
  ["hyphens", "e-mail UTF-8", ["e", "mail", "email", "utf", "8", "utf8"]],
  ["names with signs", "C++ C# C", ["c", "c++", "c", "c#", "c"]],
  ["numbers with units", "100km 5GB", ["100", "km", "100km", "5", "gb", "5gb"]],
  ["thousands", "1,234,567", ["1234567"]],
  ["points within numbers", "3.14 end.Next", ["3", "14", "3.14", "end", "next"]],
  ["forms of width", "ＡＰＩ １２３ ㎞", ["api", "123", "km"]],
  ["soft hyphens and byte-order marks", "in\u00advis\ufeffible", ["invisibl"]],
  ["marks of India, which are vowels", "नमस्ते दुनिया", ["नमस्ते", "दुनिया"]],
  ["emoji, of any colour and in families", "👍🏽🚀 👨‍👩‍👧 🇨🇳", ["👍", "🚀", "👨", "👩", "👧", "🇨🇳"]],
])("the terms of %s", (_, text, terms) => {
  expect(termsOf(text)).toEqual(terms);
});

test.each([
  ["Straße", "STRASSE"],
  ["Βουλή", "ΒΟΥΛΗ"],
  ["Σοφός", "ΣΟΦΟΣ"],
  ["İstanbul", "istanbul"],
  ["São Tomé", "Sao Tome"],
  ["Beyoncé", "Beyonce\u0301"],
  ["ёлка", "ЕЛКА"],
  ["مُحَمَّد", "محمد"],
  ["agentType", "agent_type"],
  ["e-mail", "e_mail"],
])("%s has the terms of %s", (one, other) => {
  expect(termsOf(one)).toEqual(termsOf(other));
});

test("the finer terms of a word have its accents too", () => {
  expect(finerTermsOf("Phở")).toEqual(["pho", "phở"]);
});

test("no part of a long name is lost", () => {
  const name = Array.from({ length: 20 }, (_, at) => `part${String.fromCharCode(97 + at)}`).join("_");
  expect(termsOf(name)).toHaveLength(20);
});

test.each([
  ["three marks in turn", "a", "\u0315\u0301\u0323"],
  ["half-width voiced marks between others", "a", "\uff9e\u0334"],
  ["letters that decompose", "", "\ufdfa"],
  ["marks without a letter", "", "\u0323\u0334\u0301\u0315"],
  ["hyphens", "a", "-a"],
  ["points", "1", ".1"],
  ["changing cases", "", "aB"],
  ["thousands", "1", ",000"],
  ["scripts in turn", "", "a字ก1"],
])("a query of 65,536 characters with %s is read in linear time", (_, first, part) => {
  const query = first + part.repeat(65_535 / part.length);
  expect(slownessOf(query, finerTermsOf)).toBeLessThan(MOST_SCANS);
});

test("the marks of a letter stay, up to the 30 that a text can mean", () => {
  const marks = "\u0e49".repeat(40);
  expect(termsOf(`ก${marks}`)).toEqual([`ก${marks.slice(0, 30)}`]);
});
