import { useQuery } from '../hooks/useQuery';
import { byName } from '../ui/order';

interface MilestoneSelectProps {
  id: string;
  workspaceId: string;
  value: string;
  isDisabled?: boolean;
  onChange: (milestoneId: string) => void;
}

/** All milestones of a workspace, by project. */
export function MilestoneSelect({
  id,
  workspaceId,
  value,
  isDisabled = false,
  onChange,
}: MilestoneSelectProps) {
  const projects = useQuery('projects', { workspace_id: workspaceId });
  const milestones = useQuery('milestones', { workspace_id: workspaceId });
  const groups = byName(projects ?? []).map((project) => ({
    project,
    options: byName((milestones ?? []).filter(({ project_id }) => project_id === project.id)),
  }));
  const isListed = groups.some(({ options }) => options.some((milestone) => milestone.id === value));
  return (
    <select
      id={id}
      value={value}
      required
      disabled={isDisabled}
      onChange={(event) => onChange(event.target.value)}
    >
      {/* Keeps the value of the form until the list is loaded. */}
      {!isListed && (
        <option value={value}>{milestones && projects ? 'Current milestone' : 'Loading …'}</option>
      )}
      {groups.map(({ project, options }) => (
        <optgroup key={project.id} label={project.name}>
          {options.map((milestone) => (
            <option key={milestone.id} value={milestone.id}>
              {milestone.name}
            </option>
          ))}
        </optgroup>
      ))}
    </select>
  );
}
