import { Icon } from '../ui/Icon';
import { LOST_WITH_TAB, NOT_DURABLE, whyNotDurable } from '../ui/notDurable';

/** Stands above everything that can be typed where this window keeps nothing. */
export function NotDurableNote() {
  return (
    <div className="note note-warning" role="alert">
      <Icon name="warning" />
      <p>
        <strong>{NOT_DURABLE}</strong> {LOST_WITH_TAB} {whyNotDurable(window.isSecureContext)}
      </p>
    </div>
  );
}
