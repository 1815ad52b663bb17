/** Puts the web app together: the page is painted first, then the data layer and the screens load. */

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { appUpdates } from '@/platform/web/offline/updates';
import { preloadStorage } from '@/platform/web/preload';
import { applyStoredTheme } from './actions/theme';
import { Opening } from './app/Opening';
import { StartBoundary } from './app/StartBoundary';
import { hasDatabaseToOpen } from './session/lastUse';
import { notLoaded } from './session/notLoaded';
import { UpdateNotice } from './status/UpdateNotice';
import { later } from './ui/later';
import { Splash } from './ui/Splash';
import './styles/index.css';

applyStoredTheme();
const isOpening = hasDatabaseToOpen();
if (isOpening) preloadStorage();

const App = later(
  () =>
    import('./app/App').then(
      ({ App }) => App,
      (cause) => {
        throw notLoaded(cause);
      },
    ),
  () => (isOpening ? <Opening /> : <Splash>Opening Convoy …</Splash>),
  1,
);
// Fetched beside the app, which needs it at once. A failure is reported where the module is used.
import('@/lib/watermelon/device/compose').catch(() => undefined);

const root = document.getElementById('app');
if (!root) throw new Error('The page has no element #app.');
createRoot(root).render(
  <StrictMode>
    <StartBoundary>
      <UpdateNotice />
      <App />
    </StartBoundary>
  </StrictMode>,
);

// What the page itself needs comes first.
if (import.meta.env.PROD) window.addEventListener('load', () => void appUpdates.start(), { once: true });
