import { useEffect, useState } from 'react';
import { count } from '@/core/count';
import type { TaskContext } from '@/domain/entities';
import { type RenderedContext, renderTaskContext } from '@/lib/contextText';
import { useDevice } from '../hooks/useDevice';
import { useMembers } from '../hooks/useMembers';
import { useSyncStatus } from '../hooks/useSyncStatus';
import { Dialog } from '../ui/Dialog';
import { ErrorNote } from '../ui/ErrorNote';
import { Field } from '../ui/Field';
import { Icon } from '../ui/Icon';
import { useAction } from '../ui/useAction';
import styles from './AgentView.module.css';

/** Budgets to choose from, tokens; an agent that asks for no other gets the first. */
const BUDGETS = [6_000, 2_000, 9_500] as const;

interface AgentViewProps {
  context: TaskContext;
  onClose: () => void;
}

/** The task as an agent is told of it: the rendered context with its size, what it leaves out, and how fresh it is. */
export function AgentView({ context, onClose }: AgentViewProps) {
  const [maxTokens, setMaxTokens] = useState<number>(BUDGETS[0]);
  const { rendered, error } = useRendered(context, maxTokens);
  return (
    <Dialog title="What the agent sees" onClose={onClose}>
      <div className={styles.view}>
        <div className={styles.head}>
          <Field label="Budget">
            {(control) => (
              <select
                {...control}
                value={maxTokens}
                onChange={({ target }) => setMaxTokens(Number(target.value))}
              >
                {BUDGETS.map((tokens) => (
                  <option key={tokens} value={tokens}>
                    {tokens.toLocaleString('en')} tokens
                    {tokens === BUDGETS[0] ? ', as agents get it' : ''}
                  </option>
                ))}
              </select>
            )}
          </Field>
          {rendered && <Copy text={rendered.markdown} />}
        </div>
        <ErrorNote error={error} />
        {rendered === null && !error && <p className="muted">Counting tokens …</p>}
        {rendered && <Rendered rendered={rendered} />}
      </div>
    </Dialog>
  );
}

function Rendered({ rendered: { markdown, tokens, left_out } }: { rendered: RenderedContext }) {
  return (
    <>
      <p role="status">
        <strong>{tokens.toLocaleString('en')} tokens</strong>
        {left_out.length === 0 && ': the whole context.'}
      </p>
      {left_out.length > 0 && (
        <details>
          <summary>Left out: {count(left_out.length, 'section')} not whole</summary>
          <ul className={styles.omissions}>
            {left_out.map(({ section, shown, all, isCut }) => (
              <li key={section}>
                {section}: {shown.toLocaleString('en')} of {all.toLocaleString('en')}
                {isCut && ', the last one cut'}
              </li>
            ))}
          </ul>
        </details>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions have to be focusable */}
      <pre className={styles.text} tabIndex={0} dir="auto">
        {markdown}
      </pre>
    </>
  );
}

function Copy({ text }: { text: string }) {
  const copying = useAction(() => navigator.clipboard.writeText(text));
  const [isDone, setDone] = useState(false);
  // The clipboard is there on secure pages alone; elsewhere the text can be marked.
  if (navigator.clipboard === undefined) return null;
  return (
    <button
      type="button"
      className="button"
      onClick={async () => {
        setDone(await copying.run());
      }}
    >
      <Icon name={isDone ? 'check' : 'copy'} />
      {copying.error === null ? (isDone ? 'Copied' : 'Copy') : 'Your browser copies nothing here'}
    </button>
  );
}

function useRendered(context: TaskContext, maxTokens: number) {
  const { contextService } = useDevice();
  const { members } = useMembers(context.task.workspace_id);
  const { kind, pending, lastSyncedAt } = useSyncStatus();
  const [state, setState] = useState<{ rendered: RenderedContext | null; error: unknown }>({
    rendered: null,
    error: null,
  });
  const isOnline = kind !== 'offline';
  useEffect(() => {
    let isLatest = true;
    const work = async () => {
      const former = await contextService.getFormerMembers(context.task.workspace_id).catch(() => []);
      return renderTaskContext(context, {
        maxTokens,
        members: [...members, ...former],
        freshness: {
          lastSyncedAt: lastSyncedAt === null ? null : new Date(lastSyncedAt).toISOString(),
          pending,
          isOnline,
        },
      });
    };
    work().then(
      (rendered) => isLatest && setState({ rendered, error: null }),
      (error: unknown) => isLatest && setState({ rendered: null, error }),
    );
    return () => {
      isLatest = false;
    };
  }, [contextService, context, maxTokens, members, lastSyncedAt, pending, isOnline]);
  return state;
}
