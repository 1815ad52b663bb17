import { Toast } from '@base-ui/react/toast';
import { useEffect } from 'react';
import { Icon } from './Icon';
import styles from './Toaster.module.css';
import { toastManager, toasts } from './toasts';

/** How long a toast stays, ms. While the pointer or the focus is on one, all stay. */
const STAYS_MS = 10_000;

/** Shows toasts above the page. F6 moves the focus to them. */
export function Toaster() {
  // The provider, which stands below, has begun to listen before.
  useEffect(() => toasts.beginShowing(), []);
  return (
    <Toast.Provider toastManager={toastManager} timeout={STAYS_MS} limit={3}>
      <Toast.Portal>
        <Toast.Viewport className={styles.viewport} aria-label="Notes">
          <Shown />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

/** Nothing of the page waits for a toast: shortcuts go on, and screen readers find its buttons. */
const NO_DIALOG = { role: 'group', 'aria-modal': undefined, 'aria-hidden': undefined };

function Shown() {
  const { toasts: shown } = Toast.useToastManager();
  return shown.map((toast) => (
    <Toast.Root key={toast.id} toast={toast} className={styles.toast} {...NO_DIALOG}>
      <Toast.Content className={styles.content}>
        <div className={styles.words}>
          <Toast.Title className={styles.title} render={<p />} />
          <Toast.Description className={styles.description} />
        </div>
        {toast.actionProps && (
          <Toast.Action className="button" onClick={() => toastManager.close(toast.id)} />
        )}
        <Toast.Close className="button quiet square" aria-label="Dismiss" aria-hidden={false}>
          <Icon name="close" />
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ));
}
