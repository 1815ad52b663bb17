/** Begins as the app does: the storage first, the code that uses it meanwhile. */

import { preloadStorage } from '@/platform/web/preload';

if (new URL(location.href).searchParams.has('milestone')) preloadStorage();
void import('./convoySubject');
