import { World } from '../../support/world';
import { convergenceSuite } from './convergence.suite';

convergenceSuite(() => World.start());
