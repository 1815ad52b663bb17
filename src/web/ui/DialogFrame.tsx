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
