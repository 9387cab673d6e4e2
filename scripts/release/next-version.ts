const FORM = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/;

/** Why `next` cannot follow `current` by Semantic Versioning; `null` when it can. */
export function findVersionProblem(current: string, next: string): string | null {
  const numbers = FORM.exec(next)?.slice(1).map(Number);
  if (numbers === undefined) return `"${next}" is no version of the form X.Y.Z`;
  const [major = 0, minor = 0, patch = 0] = current.split(".").map(Number);
  const followers = [`${major}.${minor}.${patch + 1}`, `${major}.${minor + 1}.0`, `${major + 1}.0.0`];
  if (followers.includes(next)) return null;
  if (!isHigher(numbers, [major, minor, patch])) return `${next} is not higher than the present version, ${current}`;
  return `after ${current} comes ${followers.join(" or ")}, not ${next}`;
}

function isHigher(left: readonly number[], right: readonly number[]): boolean {
  const at = left.findIndex((number, place) => number !== right[place]);
  return at >= 0 && (left[at] ?? 0) > (right[at] ?? 0);
}
