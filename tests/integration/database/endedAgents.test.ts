/** What the feed says of agents that end with the role of their maker. */

import { describe, expect, it } from 'vitest';
import type { PushAnswer } from '@/core/protocol';
import { call, membershipOf } from '../../support/memberships';
import { database, team, teamForEachTest } from '../../support/teamDatabase';

teamForEachTest();

/** @returns the id of the membership of an agent that the editor has made */
async function made(): Promise<string> {
  const answer = (await call(team.editor, 'create_agent', team.workspace, 'Bot')) as {
    member: { id: string };
  };
  return answer.member.id;
}

describe('an agent whose maker makes agents no more', () => {
  /** @returns the answer to whoever ended the role, where it was a push */
  async function end(why: string): Promise<PushAnswer | null> {
    const member = await membershipOf(team.editor);
    if (why === 'left') return team.editor.push([team.make.delete('workspace_members', member, null)]);
    if (why === 'removed') return team.owner.push([team.make.delete('workspace_members', member, null)]);
    if (why === 'role_lost') {
      return team.owner.push([team.make.update('workspace_members', member, 9_999, { role: 'viewer' })]);
    }
    const kind = `update auth.users set raw_app_meta_data = '{"kind": "agent"}' where id = $1::uuid`;
    const gone = 'delete from auth.users where id = $1::uuid';
    await database.query(why === 'maker_is_agent' ? kind : gone, [team.editor.id]);
    return null;
  }

  it.each(['left', 'removed', 'role_lost', 'maker_is_agent', 'account_deleted'])(
    'is told in the feed of each, in the same revision, and why: %s (A4, U14)',
    async (why) => {
      const agents = [await made(), await made()];
      const answer = await end(why);
      const entries = await database.query<{
        id: string;
        member: string;
        details: Record<string, string>;
        alike: boolean;
      }>(
        `select a.id::text as id, a.entity_id::text as member, a.details, a.revision = m.revision as alike
         from public.activity_feed a join public.workspace_members m on m.id = a.entity_id
        where a.workspace_id = $1::uuid and a.activity_type = 'agent_ended' and a.deleted_at is null`,
        [team.workspace],
      );
      expect(entries.map(({ member }) => member).sort()).toEqual(agents.sort());
      for (const { details, alike } of entries) {
        expect(alike).toBe(true);
        expect(details).toMatchObject({ name: 'Bot', made_by: team.editor.id, maker_name: 'Edgar', why });
      }
      // Whoever may still see the workspace is answered with the entries.
      if (answer && why !== 'left') {
        expect([...(answer.effects.rows.activity_feed?.id ?? [])].sort()).toEqual(
          entries.map(({ id }) => id).sort(),
        );
      }
      const { pages } = await team.owner.pullAll();
      const types = pages.flatMap(({ rows }) => rows.activity_feed?.activity_type ?? []);
      expect(types.filter((type) => type === 'agent_ended')).toHaveLength(2);
    },
  );

  it('leaves no entry in a workspace that is deleted (A4)', async () => {
    await made();
    await team.owner.push([team.make.delete('workspaces', team.workspace, 9_999)]);
    await database.query('delete from auth.users where id = $1::uuid', [team.editor.id]);
    const live = await database.query(
      'select from public.activity_feed where workspace_id = $1::uuid and deleted_at is null',
      [team.workspace],
    );
    expect(live).toEqual([]);
  });
});
