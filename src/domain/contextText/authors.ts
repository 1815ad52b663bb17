/** The author of a piece of a context: name, role and kind, in words. Pure. */

import type { WorkspaceMember } from '../entities';
import { GLOBAL_SCOPE_ID } from '../vocabulary';
import { span } from './fence';

/** The members of the workspace, former ones included. */
export type Author = Pick<WorkspaceMember, 'user_id' | 'display_name' | 'role' | 'kind'>;

export class Authors {
  private readonly known: ReadonlyMap<string, Author>;

  constructor(members: readonly Author[]) {
    // Of somebody who left and came back the present membership counts: it stands first.
    this.known = new Map(members.toReversed().map((member) => [member.user_id, member]));
  }

  /** @returns as in "`Ada` (editor, person)"; of an agent with the role of one "`Bot` (agent)". */
  nameOf(userId: string | null): string {
    const author = userId === null ? undefined : this.known.get(userId);
    if (!author) return userId === null ? 'nobody known' : 'somebody who is no member any more';
    const kind = author.kind === 'agent' ? 'agent' : 'person';
    return `${span(author.display_name, 80)} (${author.role === kind ? kind : `${author.role}, ${kind}`})`;
  }

  /** @returns whether a person wrote a record last, or it ships with Convoy. Whoever is not known counts as no person. */
  isOfPerson(record: { workspace_id: string; last_modified_by: string | null }): boolean {
    const { workspace_id, last_modified_by: userId } = record;
    if (workspace_id === GLOBAL_SCOPE_ID) return true;
    const author = userId === null ? undefined : this.known.get(userId);
    return author?.kind === 'human' && author.role !== 'agent';
  }
}
