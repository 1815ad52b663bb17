import type { ConvoyDatabase } from '../../database';
import type { IdMappings } from '../idMapping';
import type { UnitOfWork } from './unitOfWork';

/** What the steps of applying an answer share. */
export interface ApplyContext {
  database: ConvoyDatabase;
  work: UnitOfWork;
  ids: IdMappings;
  deviceId: string;
  /** Whose database it is. */
  userId: string;
  /** Device time, ms. */
  now: number;
  /** Workspaces whose columns are not all here yet: the schema version each was filled with. */
  refillSince?: ReadonlyMap<string, number>;
  /** Workspaces whose history has just turned out to be another one: revisions of before mean nothing in it. */
  otherHistory?: ReadonlySet<string>;
}
