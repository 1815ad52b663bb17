import { useState } from 'react';
import { usePageActions } from '../actions/pageActions';
import { useDevice } from '../hooks/useDevice';
import { usePageTitle } from '../hooks/usePageTitle';
import { useQuery } from '../hooks/useQuery';
import { EmptyState } from '../ui/EmptyState';
import { Icon } from '../ui/Icon';
import { AgentRow } from './AgentRow';
import styles from './AgentsPage.module.css';
import { ConnectDialog } from './ConnectDialog';
import { canManageAgents } from './canManageAgents';
import { useAgents } from './useAgents';

/** The agents of all workspaces: what each does, for whom it waits, and stopping it. */
export function AgentsPage() {
  usePageTitle('Agents');
  const { userId } = useDevice();
  const agents = useAgents();
  const mine = useQuery('workspace_members', { user_id: userId });
  const [isConnecting, setConnecting] = useState(false);
  const managed = (mine ?? []).filter(canManageAgents).map(({ workspace_id }) => workspace_id);
  const canConnect = managed.length > 0;
  usePageActions(
    canConnect ? [{ label: 'Connect an agent', keys: 'c', run: () => setConnecting(true) }] : [],
  );
  return (
    <div className="page">
      <header className="page-header">
        <div className="page-title">
          <h1>Agents</h1>
          {canConnect && (
            <div className="page-actions">
              <button type="button" className="button primary" onClick={() => setConnecting(true)}>
                <Icon name="plus" />
                Connect an agent
              </button>
            </div>
          )}
        </div>
      </header>
      {agents?.length === 0 && (
        <EmptyState title="No agent works with you yet.">
          <p>
            {canConnect
              ? 'Connect one: it gets an account of its own, takes ready tasks, and asks you at each checkpoint.'
              : 'Owners and editors who are people connect agents to their workspaces.'}
          </p>
        </EmptyState>
      )}
      {agents !== undefined && agents.length > 0 && (
        <ul className={styles.agents} aria-label="Agents">
          {agents.map((agent) => (
            <AgentRow key={agent.member.id} agent={agent} isManaged={managed.includes(agent.workspace.id)} />
          ))}
        </ul>
      )}
      {isConnecting && <ConnectDialog workspaceIds={managed} onClose={() => setConnecting(false)} />}
    </div>
  );
}
