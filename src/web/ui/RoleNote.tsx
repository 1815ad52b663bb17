import { Icon } from './Icon';

/** The reasons why controls of the page are disabled, each once; nothing when there is none. */
export function RoleNote({ reasons }: { reasons: (string | null)[] }) {
  const distinct = [...new Set(reasons.filter((reason) => reason !== null))];
  if (distinct.length === 0) return null;
  return (
    <p className="note" role="note">
      <Icon name="person" />
      <span>{distinct.join(' ')}</span>
    </p>
  );
}
