import { useEffect, useState } from 'react';
import { Logo } from '../ui/Logo';
import { fetchScreenAt } from './lazyScreens';

/** Delay in ms before the page says that it is opening; a short wait needs no words. */
const PATIENCE_MS = 1_000;

/** The frame of the page until its database is open, with a note when that takes long. */
export function Opening() {
  const [isSlow, setSlow] = useState(false);
  useEffect(() => fetchScreenAt(window.location.pathname), []);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="shell" aria-busy="true">
      <header className="topbar">
        <Logo />
      </header>
      <div className="sidebar skeleton" aria-hidden="true">
        <Lines widths={[60, 80, 70, 75]} />
      </div>
      <main id="main">
        <div className="page">
          <p className="muted" role="status">
            {isSlow && 'Opening your workspace …'}
          </p>
          <div className="skeleton" aria-hidden="true">
            <Lines widths={[35, 90, 85, 88, 80]} />
          </div>
        </div>
      </main>
    </div>
  );
}

/** Placeholder lines. @param widths of the lines, in percent */
function Lines({ widths }: { widths: number[] }) {
  return widths.map((width) => <span key={width} style={{ width: `${width}%` }} />);
}
