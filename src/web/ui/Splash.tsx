import type { ReactNode } from 'react';

/** A text alone on the page while the app opens. */
export function Splash({ children }: { children: ReactNode }) {
  return (
    <p className="splash" role="status">
      {children}
    </p>
  );
}
