import { useDevice } from '../hooks/useDevice';
import { useIsPersistent } from '../hooks/usePersistentStorage';
import { LOST_WITH_TAB } from '../ui/notDurable';

const KEPT = 'This browser keeps it until you remove it.';
const NOT_KEPT =
  'This browser has not agreed to keep it: on a full disk it may clear everything of this site. What is synced is on the server and comes back; sync, or download what is only here, to be safe with the rest.';

/** Whether what is done here outlives this tab and this browser, in words. */
export function KeptNote() {
  const { isDurable, hasAccount } = useDevice();
  const isKept = useIsPersistent();
  return (
    <p className="muted small">
      {isDurable
        ? `Everything you do is saved on this device first${hasAccount ? ' and sent when the server can be reached' : ''}.`
        : `Everything you do is kept in this tab alone${hasAccount ? ' until it is sent' : ''}. ${LOST_WITH_TAB}`}{' '}
      {isDurable && isKept !== null && (isKept ? KEPT : NOT_KEPT)}
    </p>
  );
}
