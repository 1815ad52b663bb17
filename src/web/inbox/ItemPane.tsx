import { useConflicts, useQuarantine } from '../hooks/useSyncRecords';
import { ConflictEntry } from '../sync/ConflictEntry';
import { RefusedGroup } from '../sync/RefusedGroup';
import { type InboxItem, nameOfItem } from './items';
import { MessagePane } from './MessagePane';
import { ReviewPane } from './ReviewPane';

/**
 * The open item of the inbox, with what a person can do about it.
 * @param isSettled it waits no more, and is open for the text that its person has typed
 */
export function ItemPane({ item, isSettled }: { item: InboxItem; isSettled: boolean }) {
  const name = nameOfItem(item);
  switch (item.kind) {
    case 'review':
    case 'team':
      return <ReviewPane key={item.id} name={name} item={item.review} isSettled={isSettled} />;
    case 'question':
    case 'mention':
      return (
        <MessagePane
          key={item.id}
          name={name}
          entry={item.entry}
          isQuestion={item.kind === 'question'}
          isSettled={isSettled}
        />
      );
    case 'conflict':
    case 'loss':
      return <Conflict key={item.id} id={item.id} />;
    case 'refusal':
      return <Refusal key={item.id} groupId={item.id} />;
  }
}

function Conflict({ id }: { id: string }) {
  const conflict = useConflicts()?.find((one) => one.id === id);
  return conflict ? <ConflictEntry conflict={conflict} /> : null;
}

function Refusal({ groupId }: { groupId: string }) {
  const group = useQuarantine()?.find((entries) => entries.some((entry) => entry.groupId === groupId));
  return group ? <RefusedGroup group={group} /> : null;
}
