import { useQuery } from '../hooks/useQuery';
import { byName } from '../ui/order';

interface MilestoneSelectProps {
  id: string;
  workspaceId: string;
  value: string;
  onChange: (milestoneId: string) => void;
}

/** All milestones of a workspace, by project. */
export function MilestoneSelect({ id, workspaceId, value, onChange }: MilestoneSelectProps) {
  const projects = useQuery('projects', { workspace_id: workspaceId });
  const milestones = useQuery('milestones', { workspace_id: workspaceId });
  return (
    <select id={id} value={value} required onChange={(event) => onChange(event.target.value)}>
      {byName(projects ?? []).map((project) => (
        <optgroup key={project.id} label={project.name}>
          {byName((milestones ?? []).filter(({ project_id }) => project_id === project.id)).map(
            (milestone) => (
              <option key={milestone.id} value={milestone.id}>
                {milestone.name}
              </option>
            ),
          )}
        </optgroup>
      ))}
    </select>
  );
}
