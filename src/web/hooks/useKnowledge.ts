import { GLOBAL_SCOPE_ID } from '@/domain/vocabulary';
import { byName } from '../ui/order';
import { useQuery } from './useQuery';

/** Patterns and best practices that apply to a project: global ones, its workspace's, its own. */
export function useKnowledge(workspaceId: string, projectId: string) {
  const scope = { workspace_id: [GLOBAL_SCOPE_ID, workspaceId] };
  const patterns = useQuery('patterns', scope) ?? [];
  const practices = useQuery('best_practices', scope) ?? [];
  const holds = (item: { project_id: string | null }) =>
    item.project_id === null || item.project_id === projectId;
  return { patterns: byName(patterns.filter(holds)), practices: byName(practices.filter(holds)) };
}
