import type { MemberKind, Role } from '@/domain/vocabulary';
import { ConvoyModel } from './convoyModel';
import { date, type Relation, relation, text } from './watermelondb';
import type { Workspace } from './workspace';

/** The membership of a user or agent in a workspace, with its role. */
export class WorkspaceMember extends ConvoyModel {
  static override table = 'workspace_members';

  static override associations = {
    workspaces: { type: 'belongs_to', key: 'workspace_id' },
  } as const;

  @text('user_id') userId!: string;
  @text('role') role!: Role;
  @text('display_name') displayName!: string;
  @text('kind') kind!: MemberKind;
  @text('made_by') madeBy!: string | null;
  @date('paused_at') pausedAt!: Date | null;

  @relation('workspaces', 'workspace_id') workspace!: Relation<Workspace>;
}
