/** Names in the number of the verb beside them, as kg/wording.py has them in sentences: “B cells drive lupus”. */

const PAST_OR_MODAL = new Set(['can', 'could', 'did', 'had', 'may', 'might', 'must', 'was', 'will', 'would']);

/** Names before, between and after verbs: each in the number of the verb that follows it, the last in that of `back`, the last verb read from the other end. */
export function agreeing(names: readonly string[], verbs: readonly string[], back: string): string[] {
  return names.map((name, at) => numbered(name, verbs[at] ?? back));
}

function numbered(label: string, phrase: string): string {
  const verb = (phrase.split(' ', 1)[0] ?? '').toLowerCase();
  const isPlural = verb !== '' && !PAST_OR_MODAL.has(verb) && (!verb.endsWith('s') || verb.endsWith('ss'));
  return isPlural ? plural(label) : label;
}

function plural(label: string): string {
  const of = label.indexOf(' of ');
  if (of >= 0) return plural(label.slice(0, of)) + label.slice(of);
  if (!/\p{Ll}$/u.test(label) || label.endsWith('s')) return label;
  return /(?<![aeiou])y$/.test(label) && label.length > 1 ? `${label.slice(0, -1)}ies` : `${label}s`;
}
