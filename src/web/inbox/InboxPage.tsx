import { useInbox } from '../hooks/useInbox';
import { usePageTitle } from '../hooks/usePageTitle';

/** What waits for the user. */
export function InboxPage() {
  usePageTitle('Inbox');
  const inbox = useInbox();
  if (!inbox) return null;
  return (
    <div className="page">
      <h1>Inbox</h1>
    </div>
  );
}
