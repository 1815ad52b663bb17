import type { SimDevice } from './device';
import type { Oracle } from './oracle';
import type { Step } from './program';
import type { SimServer } from './server';
import type { Workspace } from './team';
import type { ProtocolWitness } from './witness';

/** The state that the parts of a run share. */
export interface Stage {
  readonly server: SimServer;
  readonly oracle: Oracle;
  readonly witness: ProtocolWitness;
  readonly devices: readonly SimDevice[];
  readonly workspaces: readonly Workspace[];
  /** The device that a step is about. */
  device(step: Step): SimDevice;
}
