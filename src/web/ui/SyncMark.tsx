import type { RecordSync } from '@/lib/watermelon';

const TEXT: Record<Exclude<RecordSync, 'synced'>, string> = {
  new: 'Not on the server yet',
  changed: 'Changed here, not on the server yet',
  refused: 'The server refused a change: see the sync page',
};

/** A small mark on records with unsynced or refused changes. */
export function SyncMark({ sync }: { sync: RecordSync }) {
  if (sync === 'synced') return null;
  return (
    <span className={`sync-mark sync-mark-${sync}`} title={TEXT[sync]}>
      <span className="visually-hidden">({TEXT[sync]})</span>
    </span>
  );
}
