import type { ConvoyDatabase } from '../../database';
import type { IdMappings } from '../idMapping';
import type { Draft } from './unitOfWork';

/** What the steps of applying an answer share. */
export interface Applying {
  database: ConvoyDatabase;
  draft: Draft;
  ids: IdMappings;
  deviceId: string;
  /** Whose database it is. */
  userId: string;
  /** Device time, ms. */
  now: number;
  /** Workspaces whose columns are not all here yet: the schema version each was filled with. */
  filledWith?: ReadonlyMap<string, number>;
  /** Workspaces whose history has just turned out to be another one: revisions of before mean nothing in it. */
  otherHistory?: ReadonlySet<string>;
}
