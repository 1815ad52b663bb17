import { World } from '../../support/world';
import { pokesSuite } from './pokes.suite';

pokesSuite(() => World.start());
