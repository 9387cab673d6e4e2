/** Documents of words that a seed chooses: the same in every run, and no two alike. */

const WORDS =
  "tea water kettle steep degree leaf garden harvest river stone bridge winter summer letter engine signal paper copper market harbour lantern valley thunder ribbon compass orchard saddle velvet marble anchor feather cinder meadow pocket timber violet walnut zephyr".split(
    " ",
  );

/** Numbers below `end`, the same for the same seed. */
export function createChance(seed: number): (end: number) => number {
  let state = seed >>> 0 || 1;
  return (end) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * end);
  };
}

export function proseOf(chance: (end: number) => number, chars: number): string {
  let text = "";
  while (text.length < chars) {
    const words = Array.from({ length: 8 + chance(10) }, () => WORDS[chance(WORDS.length)]);
    text += `${words.join(" ")} ${chance(1_000_000)}. `;
    if (chance(6) === 0) text += "\n\n";
  }
  return text;
}

/** Markdown with a heading for every few paragraphs. */
export function markdownOf(seed: number, chars: number): string {
  const chance = createChance(seed);
  let text = `# Document ${seed}\n\n`;
  for (let section = 1; text.length < chars; section += 1) {
    text += `## Section ${section} of ${seed}\n\n${proseOf(chance, Math.min(1_200, chars - text.length))}\n\n`;
  }
  return text;
}
