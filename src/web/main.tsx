/** Puts the web app together: the page is painted first, then the data layer and the screens load. */

import { lazy, StrictMode, Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { Splash } from './ui/Splash';
import './styles/index.css';

const App = lazy(() => import('./app/App').then(({ App }) => ({ default: App })));

const root = document.getElementById('app');
if (!root) throw new Error('The page has no element #app.');
createRoot(root).render(
  <StrictMode>
    <Suspense fallback={<Splash>Opening Convoy …</Splash>}>
      <App />
    </Suspense>
  </StrictMode>,
);
