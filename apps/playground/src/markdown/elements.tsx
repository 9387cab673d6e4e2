/** Makes elements of Markdown's tokens. There is a list of what they may be; nothing is made of HTML. */
import type { Token } from "markdown-it";
import { createElement } from "preact";
import { Code } from "./code.tsx";
import { Formula } from "./formula.tsx";
import { texts } from "./texts.ts";

type Children = preact.ComponentChildren;

/** Headings of a message stand below those of the page. */
const TAGS: Readonly<Record<string, string>> = {
  ...{ p: "p", ul: "ul", ol: "ol", li: "li", blockquote: "blockquote", strong: "strong", em: "em", s: "s" },
  ...{ h1: "h3", h2: "h4", h3: "h5", h4: "h6", h5: "h6", h6: "h6" },
  ...{ thead: "thead", tbody: "tbody", tr: "tr", th: "th", td: "td" },
};

/** Images of other hosts tell them who reads; so only those that are in the text are shown. */
const OWN_IMAGE = /^data:image\/(?:png|jpeg|gif|webp);base64,/;

export type Marks = {
  /** Makes an element of `[1]`, if it is a citation. */
  readonly citation?: ((marker: string) => Children) | undefined;
};

const attribute = (token: Token, name: string): string => String(token.attrGet(name) ?? "");

export function elementsOf(tokens: readonly Token[], marks: Marks): Children {
  let at = 0;
  function children(): Children[] {
    const list: Children[] = [];
    while (at < tokens.length) {
      const token = tokens[at] as Token;
      at += 1;
      if (token.nesting === -1) break;
      list.push(token.nesting === 1 ? container(token, children(), list.length) : leaf(token, marks, list.length));
    }
    return list;
  }
  return children();
}

function container(token: Token, children: Children[], key: number): Children {
  const { type, tag, hidden } = token;
  if (hidden) return children;
  if (type === "link_open") {
    const href = attribute(token, "href");
    return (
      <a key={key} href={href} title={href} target="_blank" rel="noopener noreferrer nofollow">
        {children}
      </a>
    );
  }
  if (type === "table_open") {
    return (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
      <section key={key} class="table-frame" aria-label={texts.table} tabIndex={0}>
        <table>{children}</table>
      </section>
    );
  }
  const align = /text-align:(\w+)/.exec(attribute(token, "style"))?.[1];
  const start = attribute(token, "start");
  const attributes = {
    ...{ key, dir: tag === "p" || tag === "li" || tag.startsWith("h") ? "auto" : undefined },
    ...(align === undefined ? {} : { class: `align-${align}` }),
    ...(start === "" ? {} : { start }),
  };
  return createElement(TAGS[tag] ?? "div", attributes, children);
}

function leaf(token: Token, marks: Marks, key: number): Children {
  switch (token.type) {
    case "inline":
      return elementsOf(token.children ?? [], marks);
    case "text":
      return withCitations(token.content, marks);
    case "code_inline":
      return <code key={key}>{token.content}</code>;
    case "fence":
    case "code_block":
      return (
        <Code key={key} text={token.content.replace(/\n$/, "")} language={token.info.trim().split(/\s/)[0] ?? ""} />
      );
    case "formula":
      return <Formula key={key} tex={token.content} isBlock={token.markup === "block"} />;
    case "formula_block":
      return <Formula key={key} tex={token.content} isBlock />;
    case "hardbreak":
      return <br key={key} />;
    case "softbreak":
      return "\n";
    case "hr":
      return <hr key={key} />;
    case "image":
      return <Picture key={key} address={attribute(token, "src")} name={token.content} />;
    default:
      return token.content;
  }
}

function Picture({ address, name }: { readonly address: string; readonly name: string }) {
  if (OWN_IMAGE.test(address)) return <img src={address} alt={name} />;
  return (
    <a href={address} title={address} target="_blank" rel="noopener noreferrer nofollow">
      {texts.image(name)}
    </a>
  );
}

function withCitations(text: string, { citation }: Marks): Children {
  if (citation === undefined || !text.includes("[")) return text;
  return text.split(/(\[\d{1,3}\])/).map((part, index) => (index % 2 === 0 ? part : citation(part)));
}
