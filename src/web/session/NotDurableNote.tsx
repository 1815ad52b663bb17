import { platform } from '../platform';
import { Icon } from '../ui/Icon';
import {
  LOST_WITH_TAB,
  NOT_DURABLE,
  SIGN_IN_AGAIN,
  WHY_SIGN_IN_AGAIN,
  whyNotDurable,
} from '../ui/notDurable';

/** Stands above everything that can be typed where this window keeps nothing, or no session; nothing elsewhere. */
export function NotDurableNote({ isDurable }: { isDurable: boolean }) {
  const isBlocked = platform.endsWithPage?.() ?? false;
  if (isDurable && !isBlocked) return null;
  const [headline, detail] = isDurable
    ? [SIGN_IN_AGAIN, WHY_SIGN_IN_AGAIN]
    : [NOT_DURABLE, `${LOST_WITH_TAB} ${whyNotDurable(window.isSecureContext, isBlocked)}`];
  return (
    <div className="note note-warning" role="alert">
      <Icon name="warning" />
      <p>
        <strong>{headline}</strong> {detail}
      </p>
    </div>
  );
}
