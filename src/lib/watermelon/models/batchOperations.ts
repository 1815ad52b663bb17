/** The operations that a batch of prepared records asks of the storage. */

import type { BulkRows, RecordStatement } from '@/core/storage';
import { ConvoyModel } from './convoyModel';
import { RecoverableModel } from './recoverableModel';
import type { Change } from './replica';
import type { Model } from './watermelondb';

export type BatchOperation =
  | ['create' | 'update', string, unknown, before?: unknown]
  | ['markAsDeleted' | 'destroyPermanently', string, string]
  | ['fill', string, BulkRows]
  | ['run', string, RecordStatement];
/** Adds the operations of a prepared record. @returns what becomes of the record; it throws where nothing is prepared. */
export function addOperations(operations: BatchOperation[], table: string, record: Model): Change['type'] {
  const state = record._preparedState;
  if (state === null) throw new Error(`${table} ${record.id} was passed to batch without a prepared change`);
  if (state !== 'create') record._preparedState = null;
  switch (state) {
    case 'create':
      operations.push([state, table, record._raw]);
      return 'created';
    case 'update':
      operations.push([state, table, record._raw, beforeOf(record)]);
      return 'updated';
    case 'markAsDeleted':
      // WatermelonDB's own operation stores the status alone, and not the base.
      if (record instanceof ConvoyModel) operations.push(['update', table, record._raw, beforeOf(record)]);
      operations.push([state, table, record.id]);
      return 'destroyed';
    case 'destroyPermanently':
      operations.push([state, table, record.id]);
      return 'destroyed';
  }
}

/** @returns the record as it is stored; null where that is not known. */
function beforeOf(record: Model): unknown {
  return record instanceof RecoverableModel ? record._rawBefore : null;
}
