/** Members whom a text names behind an @. Pure. */

import type { WorkspaceMember } from '@/domain/entities';

type Named = Pick<WorkspaceMember, 'user_id' | 'display_name'>;

/**
 * @param text Markdown
 * @returns the ids of the members whose whole names stand behind an @, each once; of two names that fit, the longer one. All members
 * of a name are meant.
 */
export function mentionsIn(text: string, members: readonly Named[]): string[] {
  const lower = text.toLowerCase();
  const names = members
    .map((member) => ({ member, name: member.display_name.trim().toLowerCase() }))
    .filter(({ name }) => name !== '')
    .sort((one, other) => other.name.length - one.name.length);
  const found = new Set<string>();
  for (let at = lower.indexOf('@'); at >= 0; at = lower.indexOf('@', at + 1)) {
    // In an address of e-mail it stands behind a letter.
    if (at > 0 && isOfWord(lower[at - 1])) continue;
    const fits = ({ name }: { name: string }) =>
      lower.startsWith(name, at + 1) && !isOfWord(lower[at + 1 + name.length]);
    const longest = names.find(fits)?.name.length;
    for (const one of names) if (one.name.length === longest && fits(one)) found.add(one.member.user_id);
  }
  return [...found];
}

function isOfWord(sign: string | undefined): boolean {
  return sign !== undefined && /[\p{L}\p{N}_]/u.test(sign);
}
