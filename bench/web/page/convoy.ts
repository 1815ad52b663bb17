/** Begins as the app does: the storage first, the code that uses it meanwhile. */

import { openAhead } from '@/platform/web/ahead';

if (new URL(location.href).searchParams.has('milestone')) openAhead();
void import('./convoySubject');
