import type { ReactNode } from 'react';

/** What stands alone on the page while something opens. */
export function Splash({ children }: { children: ReactNode }) {
  return (
    <p className="splash" role="status">
      {children}
    </p>
  );
}
