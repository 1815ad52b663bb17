/** All code of one version of the project that a device runs on and that checks it. */

export { ConvoyError } from '@/core/errors';
export { createConvoyClient } from '@/lib/supabase/client';
export { createRemoteContextService } from '@/lib/supabase/contextService';
export { SupabaseTransport } from '@/lib/supabase/transport';
export { observeRecords } from '@/lib/watermelon/context/liveRecords';
export { type Device, openDevice } from '@/lib/watermelon/device/device';
export { migrations, schema } from '@/lib/watermelon/models';
export { openSqlite } from '@/platform/node/sqlite';
export { withFileLock as exclusively } from '@/platform/node/withFileLock';
export { storageError } from '@/platform/sqlite/handle';
export { deviceSnapshot, serverSnapshot } from '../support/snapshot';
