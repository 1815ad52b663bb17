import { useEffect, useState } from 'react';
import { Logo } from '../ui/Logo';

/** ms until words say what is waited for; those who wait less are spared them. */
const PATIENCE_MS = 1_000;

/** What can be shown of the page before its data is open; says so where that takes long. */
export function Opening() {
  const [isSlow, setSlow] = useState(false);
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

/** @param widths of lines that stand for text, in percent */
function Lines({ widths }: { widths: number[] }) {
  return widths.map((width) => <span key={width} style={{ width: `${width}%` }} />);
}
