import type { ReactNode } from 'react';
import { AGAIN_AND_AGAIN, later } from './later';

const DialogFrame = later(
  async () => (await import('./DialogFrame')).DialogFrame,
  undefined,
  AGAIN_AND_AGAIN,
);

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** A modal dialog over the page. It is open as long as it is rendered, and a click beside it closes nothing that was typed. */
export function Dialog(props: DialogProps) {
  return <DialogFrame {...props} />;
}
