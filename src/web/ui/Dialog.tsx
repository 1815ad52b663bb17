import { type ReactNode, useId, useLayoutEffect, useRef } from 'react';
import { Icon } from './Icon';

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/**
 * A modal dialog over the page. It is open as long as it is rendered. The browser's own <dialog>
 * keeps the focus inside, closes on Escape and gives the focus back.
 */
export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();

  // A layout effect: while it is still on the page, closing gives the focus back to where it was.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // Whoever opens a form wants to type; the browser would choose the button that closes it.
    element?.querySelector<HTMLElement>('input, textarea, select')?.focus();
    return () => element?.close();
  }, []);

  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={titleId}
      onCancel={(event) => {
        // React takes it off the page; closing by itself would leave it rendered.
        event.preventDefault();
        onClose();
      }}
      // A second Escape closes it whatever the first was answered. The event comes late: the dialog
      // may have been opened again meanwhile.
      onClose={(event) => {
        if (!event.currentTarget.open) onClose();
      }}
    >
      <header className="dialog-header">
        <h2 id={titleId}>{title}</h2>
        <button type="button" className="button quiet square" onClick={onClose} aria-label="Close">
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  );
}
