/** Classes that are two to the computer and one to people. */

/** What is left of a name without case, width (full-width and half-width letters) and characters that nobody sees. */
const looksOf = (name: string): string =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '');

/** Groups of different names that look alike, two or more in each, in the order given. */
export function lookAlikes(names: Iterable<string>): string[][] {
  const groups = new Map<string, string[]>();
  for (const name of new Set(names)) {
    const looks = looksOf(name);
    const group = groups.get(looks);
    if (group === undefined) groups.set(looks, [name]);
    else group.push(name);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

/** how many of a group a sentence names */
const maxNamed = 4;

/** Says of a group that it looks alike, and what to do about it. */
export const describeLookAlikes = (group: readonly string[]): string =>
  `The classes ${group
    .slice(0, maxNamed)
    .map((name) => `"${name}"`)
    .join(
      ' and ',
    )} differ only in case, width or characters that nobody sees. If one is meant, label the samples of the other again, and name the classes in the project's settings.`;
