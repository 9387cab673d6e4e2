/** Colours code by lowlight's tree, from which elements are made; no HTML is parsed. */
import { common, createLowlight } from "lowlight";

const lowlight = createLowlight(common);

type Node = ReturnType<typeof lowlight.highlight>["children"][number];

/** The text as it is, if nothing is known of the language. */
export function colour(text: string, language: string): preact.ComponentChildren {
  const name = language.toLowerCase();
  if (!lowlight.registered(name)) return text;
  return lowlight.highlight(name, text).children.map(elementOf);
}

function elementOf(node: Node, index: number): preact.ComponentChildren {
  if (node.type === "text") return node.value;
  if (node.type !== "element") return null;
  return (
    <span key={index} class={(node.properties.className as string[] | undefined)?.join(" ")}>
      {node.children.map(elementOf)}
    </span>
  );
}
