import type { ConvoyDatabase } from '../../database';
import type { IdMappings } from '../idMapping';
import type { UnitOfWork } from './unitOfWork';

/** The context that the steps of applying a pull or push answer share. */
export interface ApplyContext {
  database: ConvoyDatabase;
  work: UnitOfWork;
  ids: IdMappings;
  deviceId: string;
  /** The user of this database. */
  userId: string;
  /** Device time, ms. */
  now: number;
  /** By workspace, the schema version of its data, where columns of newer versions are not here yet (P14). */
  refillSince?: ReadonlyMap<string, number>;
  /** Local ids of the records that the batch in doubt deletes: what becomes of them its answer says (D14). */
  deletedInDoubt?: ReadonlySet<string>;
  /** Workspaces found to be of another history: revisions known so far mean nothing in it. */
  otherHistory?: ReadonlySet<string>;
  /** Workspaces that are being resynced: what is here of them may not be on the server. */
  resyncing?: ReadonlySet<string>;
}
