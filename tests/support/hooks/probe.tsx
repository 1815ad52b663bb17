/** A page that is nothing but the hooks: what they return is kept where a test can read it. */

import { createRoot } from 'react-dom/client';
import { useRoute } from 'wouter';
import type { TaskContext } from '@/domain/entities';
import type { Device } from '@/lib/watermelon';
import { connect, openUserDevice } from '@/lib/watermelon/device/compose';
import { createPlatform } from '@/platform/web';
import {
  DeviceContext,
  useConflicts,
  useMemoryBank,
  useMemoryBankNavigation,
  useQuarantine,
  useSyncLog,
  useSyncStatus,
  useTaskActivityHistory,
  useTaskContext,
  useTaskStageManagement,
} from '@/web/hooks';

function useEverything(taskId: string) {
  return {
    taskId,
    status: useSyncStatus(),
    conflicts: useConflicts()?.map(({ recordId, state, columns }) => ({ recordId, state, columns })),
    quarantine: useQuarantine()?.map((group) =>
      group.map(({ recordTable, code }) => ({ recordTable, code })),
    ),
    log: useSyncLog(),
    local: useTaskContext(taskId),
    bank: useMemoryBank(taskId),
  };
}

function useTask(context: TaskContext) {
  return {
    navigation: useMemoryBankNavigation(context),
    stages: useTaskStageManagement(context),
    history: useTaskActivityHistory(context),
  };
}

export interface Probe {
  device: Device;
  now: ReturnType<typeof useEverything>;
  /** Of the task that is shown. */
  task: ReturnType<typeof useTask>;
  /** The task asked for and the one shown, of every render. */
  renders: [asked: string, shown: string | null][];
}

declare global {
  interface Window {
    /** Signs in, opens the local database and renders the hooks. */
    startProbe(email: string, password: string): Promise<void>;
    probe: Probe;
  }
}

function Page() {
  const [, params] = useRoute('/tasks/:id');
  const now = useEverything(params?.id ?? '');
  window.probe.now = now;
  window.probe.renders.push([now.taskId, now.bank.context?.task.id ?? null]);
  return now.bank.context && <Task context={now.bank.context} />;
}

function Task({ context }: { context: TaskContext }) {
  window.probe.task = useTask(context);
  return <h1>{context.task.title}</h1>;
}

window.startProbe = async (email, password) => {
  const platform = createPlatform();
  const client = await connect(platform);
  if (!client) throw new Error('There is no server.');
  const { data, error } = await client.auth.signInWithPassword({ email, password });
  if (error) throw error;
  const device = await openUserDevice(platform, client, data.user.id);
  window.probe = { device, renders: [] } as unknown as Probe;
  createRoot(document.getElementById('app') as HTMLElement).render(
    <DeviceContext value={device}>
      <Page />
    </DeviceContext>,
  );
};
