/** The project's own server on the benchmark's PostgreSQL, in a process of its own. */

import { startLocalStack } from '@/server';

const started = await startLocalStack({
  data: { kind: 'postgres', url: process.env.BENCH_DATABASE ?? '' },
  demo: false,
  maxBodyBytes: 256 * 2 ** 20,
});
if (!started.ok) throw new Error(started.error.message);
const { url, anonKey, close } = started.value;
process.send?.({ url, anonKey });
process.on('disconnect', () => void close().then(() => process.exit()));
