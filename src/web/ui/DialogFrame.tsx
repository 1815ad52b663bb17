import { Dialog as Base } from '@base-ui/react/dialog';
import { type ReactNode, useRef } from 'react';
import { Icon } from './Icon';

interface DialogFrameProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** The dialog itself, with what keeps the focus in it. */
export function DialogFrame({ title, onClose, children }: DialogFrameProps) {
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
