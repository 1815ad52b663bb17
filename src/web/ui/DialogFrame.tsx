import { Dialog as Base } from '@base-ui/react/dialog';
import { type ReactNode, useLayoutEffect, useRef } from 'react';
import { Icon } from './Icon';
import { makePageInert } from './inertPage';

interface DialogFrameProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** The dialog itself, with what keeps the focus in it. */
export function DialogFrame({ title, onClose, children }: DialogFrameProps) {
  const popup = useRef<HTMLDivElement>(null);
  const before = useRef(document.activeElement);
  const undoInert = useRef<(() => void) | null>(null);
  // Before the focus is given back, which an inert element does not take.
  useLayoutEffect(
    () => () => {
      undoInert.current?.();
      undoInert.current = null;
    },
    [],
  );
  return (
    <Base.Root open disablePointerDismissal onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="dialog-backdrop" />
        <Base.Viewport className="dialog-viewport">
          <Base.Popup
            ref={popup}
            className="dialog"
            // Not before: where the focus is would lose it, and the dialog would not know whom to give it back to.
            onFocusCapture={() => {
              undoInert.current ??= makePageInert();
            }}
            finalFocus={() => !focusPage(before.current)}
            // The first field of a form; else the first button, which is the one that closes.
            initialFocus={() => popup.current?.querySelector<HTMLElement>('input, textarea, select') ?? true}
          >
            <div className="dialog-header">
              <Base.Title>{title}</Base.Title>
              <Base.Close className="button quiet square" aria-label="Close">
                <Icon name="close" />
              </Base.Close>
            </div>
            {children}
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  );
}

/** After navigation the page itself has the focus: it gets it back, where Base UI would choose its first link. @returns whether it does */
function focusPage(before: Element | null): boolean {
  if (!(before instanceof HTMLElement) || !before.matches('main')) return false;
  before.focus({ preventScroll: true });
  return true;
}
