import { ConvoyModel } from './convoyModel';
import type { Project } from './project';
import { children, type Query, text } from './watermelondb';
import type { WorkspaceMember } from './workspaceMember';

/** A workspace: what its members share, and the scope of their records. */
export class Workspace extends ConvoyModel {
  static override table = 'workspaces';

  static override associations = {
    projects: { type: 'has_many', foreignKey: 'workspace_id' },
    workspace_members: { type: 'has_many', foreignKey: 'workspace_id' },
  } as const;

  @text('name') name!: string;
  @text('description') description!: string | null;

  @children('projects') projects!: Query<Project>;
  @children('workspace_members') members!: Query<WorkspaceMember>;
}
