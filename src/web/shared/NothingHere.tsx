import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { useSyncStatus } from '../hooks/useSyncStatus';
import { routes } from '../routes';
import { EmptyState } from '../ui/EmptyState';

/** The page of an address whose record is not on this device. */
export function NothingHere({ what, children }: { what: string; children?: ReactNode }) {
  const { kind } = useSyncStatus();
  return (
    <div className="page">
      <EmptyState title={`There is no such ${what} on this device.`}>
        <p>
          {kind === 'offline'
            ? 'It may be on the server: you are offline now, and it will appear here after the next sync.'
            : 'It may have been deleted, or is not shared with you.'}
        </p>
        <Link className="button" href={routes.workspaces()}>
          Go to your workspaces
        </Link>
      </EmptyState>
      {children}
    </div>
  );
}
