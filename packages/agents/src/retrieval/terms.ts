/**
 * The terms of a text. Words lose their accents and case and are lightly stemmed; scripts without blanks between words
 * yield their pairs of neighbouring characters; an identifier, a number with its unit and a word with hyphens yield
 * their parts and the whole.
 */

/** A longer word is an encoded value, and its beginning identifies it well enough. */
const MAX_WORD_CHARS = 48;

/** Characters that only say how others look or where a line may end. */
const INVISIBLE = /\p{Variation_Selector}|\u00ad|\u200d|\u2060|\ufeff/gu;

/**
 * More marks on one character than any language has (the bound of Unicode's stream-safe text format). NFKC sorts the
 * marks of a character in quadratic time. The half-width voiced marks of Japanese are letters that become marks.
 */
const TOO_MANY_MARKS = /([\p{M}\uff9e\uff9f]{30})[\p{M}\uff9e\uff9f]+/gu;

/** Some characters become 18 others. Text that NFKC makes longer than this is cut: no language is written in them. */
const MAX_GROWTH = { factor: 2, characters: 1_000 };

/** The comma of 1,000. */
const THOUSANDS = /(?<=\d),(?=\d{3}(?!\d))/g;

/** Words with hyphens, numbers with points, names such as C++ and C#; and emoji, each alone. */
const RUN =
  /[\p{L}\p{M}\p{N}_]+(?:(?:-|(?<=\p{N})\.(?=\p{N}))[\p{L}\p{M}\p{N}_]+)*(?:\+\+|#(?![\p{L}\p{N}]))?|\p{RI}{2}|\p{ExtPict}/gu;

/** Korean has blanks, but its particles stand at the words without one. */
const WITHOUT_BLANKS =
  /([\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Bopo}\p{scx=Yi}\p{sc=Hang}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmr}\p{sc=Mymr}]+)/u;
const CHARACTER = /\P{M}\p{M}*|\p{M}+/gu;

const SEAM =
  /[-_.+#]+|(?<=\p{Ll})(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})|(?<=\p{N})(?=\p{L})|(?<=[\p{L}\p{M}])(?=\p{N})/u;
const JOINTS = /[-_]+/g;

const PLAIN = /^[a-z]+$/;
const ASCII = /^[\0-\x7f]*$/;
/** The marks of Latin, Greek, Cyrillic and Arabic letters. In the scripts of India marks are vowels, and stay. */
const ACCENTS = /[\u0300-\u036f\u064b-\u065f\u0670]+/g;

/** The terms of runs that were read before: most words of a text were in the texts before it. For one kind of terms. */
export type KnownRuns = Map<string, readonly string[]>;

export const termsOf = (text: string, known?: KnownRuns): string[] => readTerms(text, false, known);

/**
 * With the single characters of scripts without blanks and the words with their accents too: a name may be one
 * character of a pair, and in some languages accents tell words apart.
 */
export const finerTermsOf = (text: string, known?: KnownRuns): string[] => readTerms(text, true, known);

function readTerms(text: string, isFine: boolean, known: KnownRuns = new Map()): string[] {
  const terms: string[] = [];
  const maxChars = text.length * MAX_GROWTH.factor + MAX_GROWTH.characters;
  const visible = text.replace(INVISIBLE, "").replace(TOO_MANY_MARKS, "$1");
  const normalized = visible.normalize("NFKC").slice(0, maxChars).replace(THOUSANDS, "");
  for (const [run] of normalized.matchAll(RUN)) {
    const ofRun = known.get(run) ?? readRun(run, isFine);
    known.set(run, ofRun);
    for (const term of ofRun) terms.push(term);
  }
  return terms;
}

function readRun(run: string, isFine: boolean): string[] {
  const terms: string[] = [];
  // What the expression captures stands at the odd places.
  const parts = ASCII.test(run) ? [run] : run.split(WITHOUT_BLANKS);
  parts.forEach((part, at) => {
    if (at % 2 === 0) addWords(terms, part, isFine);
    else addPairs(terms, part.match(CHARACTER) ?? [], isFine);
  });
  return terms;
}

function addPairs(terms: string[], characters: readonly string[], isFine: boolean): void {
  if (isFine || characters.length === 1) for (const character of characters) terms.push(character);
  for (let at = 1; at < characters.length; at += 1) terms.push(`${characters[at - 1]}${characters[at]}`);
}

function addWords(terms: string[], word: string, isFine: boolean): void {
  if (PLAIN.test(word)) {
    terms.push(stem(word.slice(0, MAX_WORD_CHARS)));
    return;
  }
  const parts = word.split(SEAM).filter((part) => part !== "");
  for (const part of parts) {
    const cut = part.slice(0, MAX_WORD_CHARS);
    const folded = fold(cut);
    terms.push(stem(folded));
    if (isFine && !ASCII.test(cut) && cut.toLowerCase() !== folded) terms.push(cut.toLowerCase());
  }
  const whole = word.length > MAX_WORD_CHARS ? "" : word.replace(JOINTS, "");
  if (whole !== "" && whole !== parts[0]) terms.push(fold(whole));
}

/** Equal for all spellings of a word: Straße and STRASSE, Βουλή and ΒΟΥΛΗ, São and Sao. */
function fold(word: string): string {
  const folded = word.toUpperCase().toLowerCase();
  return ASCII.test(folded) ? folded : folded.normalize("NFD").replace(ACCENTS, "").normalize("NFC");
}

/** The term that a word with accents has without them; empty for one that has none. */
export function withoutAccents(term: string): string[] {
  if (ASCII.test(term)) return [];
  const plain = stem(fold(term));
  return plain === term ? [] : [plain];
}

/** Removes the plural, `-ed` and `-ing`, so that a question and its answer share terms. */
export function stem(word: string): string {
  if (word.length < 4 || !PLAIN.test(word)) return word;
  const singular = !word.endsWith("s") || /(?:ss|us|is)$/.test(word) ? word : word.replace(/(?:(ie)s|s)$/, toSingular);
  const suffix = ["ed", "ing"].find((end) => singular.endsWith(end)) ?? "";
  const before = singular.slice(0, singular.length - suffix.length);
  const root = (/[aeiouy].*[^aeiou]$|[aeiou]{2}$/.test(before) ? before : singular).replace(/([bdfgmnprt])\1$/, "$1");
  return root.length >= 4 && root.endsWith("e") ? root.slice(0, -1) : root;
}

const toSingular = (_: string, ie: string | undefined) => (ie === undefined ? "" : "y");
