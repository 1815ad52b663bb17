import { Link } from 'wouter';
import type { SyncedTable } from '@/domain/schema';
import { useRecord } from '../hooks/useQuery';
import { routes } from '../routes';

interface RecordNameProps {
  table: SyncedTable;
  id: string;
  /** Stored values of the record, for when it is gone. */
  known?: Readonly<Record<string, unknown>>;
}

/** A record by its name, with a link where it has a page. */
export function RecordName({ table, id, known = {} }: RecordNameProps) {
  const record = useRecord(table, id);
  const name = nameIn(record ?? known);
  if (name === null) return null;
  const href = record ? pageOf(table, id) : null;
  return href ? <Link href={href}>{name}</Link> : <q>{name}</q>;
}

function nameIn(record: object): string | null {
  const { title, name } = record as { title?: unknown; name?: unknown };
  return typeof title === 'string' ? title : typeof name === 'string' ? name : null;
}

function pageOf(table: SyncedTable, id: string): string | null {
  switch (table) {
    case 'tasks':
      return routes.task(id);
    case 'milestones':
      return routes.milestone(id);
    case 'projects':
      return routes.project(id);
    case 'workspaces':
      return routes.workspace(id);
    default:
      return null;
  }
}
