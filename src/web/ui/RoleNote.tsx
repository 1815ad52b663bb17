import { Icon } from './Icon';

interface RoleNoteProps {
  reasons: (string | null)[];
  /** In small print, for a line with other things in it. */
  isSmall?: boolean;
}

/** The reasons why controls of the page are disabled, each once; nothing when there is none. */
export function RoleNote({ reasons, isSmall = false }: RoleNoteProps) {
  const distinct = [...new Set(reasons.filter((reason) => reason !== null))];
  if (distinct.length === 0) return null;
  return (
    <p
      className={isSmall ? 'small-note' : 'note'}
      role="note"
      title={isSmall ? distinct.join(' ') : undefined}
    >
      <Icon name="person" />
      <span>{distinct.join(' ')}</span>
    </p>
  );
}
