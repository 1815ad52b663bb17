import { Dialog as Base } from '@base-ui/react/dialog';
import { type ReactNode, useRef } from 'react';
import { Icon } from './Icon';

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** A modal dialog over the page. It is open as long as it is rendered, and a click beside it closes nothing that was typed. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const popup = useRef<HTMLDivElement>(null);
  return (
    <Base.Root open disablePointerDismissal onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="dialog-backdrop" />
        <Base.Viewport className="dialog-viewport">
          <Base.Popup
            ref={popup}
            className="dialog"
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
