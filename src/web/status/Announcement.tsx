import { useEffect, useState } from 'react';

/** What flickers by is not worth interrupting a screen reader for. */
const STEADY_MS = 1_500;

/** Says a text to screen readers once it has stood for a while. */
export function Announcement({ children }: { children: string }) {
  const [said, setSaid] = useState('');
  useEffect(() => {
    if (children === '') return;
    const timer = setTimeout(() => setSaid(children), STEADY_MS);
    return () => clearTimeout(timer);
  }, [children]);
  return (
    <span className="visually-hidden" role="status" aria-live="polite">
      {said}
    </span>
  );
}
