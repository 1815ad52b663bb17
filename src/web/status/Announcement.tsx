import { useEffect, useState } from 'react';

/** A text that stands for less than this, in ms, should not interrupt a screen reader. */
const STEADY_MS = 1_500;

/** Announces a text to screen readers once it has stood for a while. */
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
