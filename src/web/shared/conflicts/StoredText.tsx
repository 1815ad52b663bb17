import { columnsOf, type SyncedTable } from '@/domain/schema';
import type { StoredValue } from '@/domain/setAsideText';
import { RecordName } from '../RecordName';
import { valueText } from '../recordText';

interface StoredTextProps {
  table: SyncedTable;
  column: string;
  /** As the local database stores it. */
  value: StoredValue;
  nameOf: (userId: string | null) => string;
}

/** A stored value in words: users and records by their names, never by their ids. */
export function StoredText({ table, column, value, nameOf }: StoredTextProps) {
  const { to } = columnsOf(table)[column] ?? {};
  if (to === undefined) return <span dir="auto">{valueText(table, column, value)}</span>;
  if (value === null || value === undefined || value === '') return to === 'user' ? 'nobody' : 'nothing';
  if (to === 'user') return <span dir="auto">{nameOf(String(value))}</span>;
  return <RecordName table={to} id={String(value)} known={{ name: 'a record that is not on this device' }} />;
}
