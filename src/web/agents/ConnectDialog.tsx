import { useState } from 'react';
import type { CreatedAgent } from '@/domain/agents';
import { useDevice } from '../hooks/useDevice';
import { useQuery } from '../hooks/useQuery';
import { useSyncStatus } from '../hooks/useSyncStatus';
import { CopyField } from '../ui/CopyField';
import { Dialog } from '../ui/Dialog';
import { ErrorNote } from '../ui/ErrorNote';
import { Field } from '../ui/Field';
import { byName } from '../ui/order';
import { useAction } from '../ui/useAction';

interface ConnectDialogProps {
  /** In which the user makes agents; at least one. */
  workspaceIds: readonly string[];
  onClose: () => void;
}

/** Makes an agent, and tells once what it signs in with. */
export function ConnectDialog({ workspaceIds, onClose }: ConnectDialogProps) {
  const { contextService } = useDevice();
  const { kind } = useSyncStatus();
  const workspaces = byName(useQuery('workspaces', { id: workspaceIds }) ?? []);
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<string | null>(null);
  const [made, setMade] = useState<CreatedAgent | null>(null);
  const workspaceId = chosen ?? workspaces[0]?.id ?? '';
  const making = useAction(async () => setMade(await contextService.createAgent(workspaceId, name)));
  if (made) return <Connected made={made} onClose={onClose} />;
  return (
    <Dialog title="Connect an agent" onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!making.isRunning) void making.run();
        }}
      >
        <Field label="Name" hint="What the members call it.">
          {(control) => (
            <input
              {...control}
              required
              maxLength={200}
              autoComplete="off"
              value={name}
              onChange={({ target }) => setName(target.value)}
            />
          )}
        </Field>
        {workspaces.length > 1 && (
          <Field label="Workspace">
            {(control) => (
              <select {...control} value={workspaceId} onChange={({ target }) => setChosen(target.value)}>
                {workspaces.map((workspace) => (
                  <option key={workspace.id} value={workspace.id}>
                    {workspace.name}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        {kind === 'offline' && (
          <p className="note" role="note">
            <span>The server makes agents, and it cannot be reached now.</span>
          </p>
        )}
        <ErrorNote error={making.error} />
        <div className="actions">
          <button type="submit" className="button primary" aria-disabled={making.isRunning}>
            {making.isRunning ? 'One moment …' : 'Make the agent'}
          </button>
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Connected({
  made: { member, email, secret },
  onClose,
}: {
  made: CreatedAgent;
  onClose: () => void;
}) {
  const [isCopied, setCopied] = useState(false);
  const [isAsked, setAsked] = useState(false);
  // Neither a key nor a slip of the mouse loses what nobody can show again.
  const close = () => (isCopied || isAsked ? onClose() : setAsked(true));
  return (
    <Dialog title={`${member.display_name} is made`} onClose={close}>
      <div className="form">
        <p>
          The secret is shown now and never again. Where the agent runs, sign it in, then let Convoy write the
          settings of its host. Where <code>convoy</code> is not found, run <code>npm link</code> in the
          folder of Convoy first.
        </p>
        <CopyField label="Secret" value={secret} onCopied={() => setCopied(true)} />
        <CopyField
          isLong
          label="1. Sign it in"
          value={`convoy login --url ${window.location.origin} --email ${email}`}
        />
        <CopyField isLong label="2. Set up its host" value={`convoy mcp install --as ${email}`} />
        {isAsked && !isCopied && (
          <p className="note note-warning" role="alert">
            <span>You have not copied the secret. Without it the agent cannot be signed in.</span>
          </p>
        )}
        <div className="actions">
          <button type="button" className="button primary" onClick={close}>
            {isAsked && !isCopied ? 'Close without it' : 'Done'}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
