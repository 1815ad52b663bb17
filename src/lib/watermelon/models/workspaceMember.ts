import type { MemberKind, Role } from '@/domain/vocabulary';
import { ConvoyModel } from './convoyModel';
import { type Relation, relation, text } from './watermelondb';
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

  @relation('workspaces', 'workspace_id') workspace!: Relation<Workspace>;
}
