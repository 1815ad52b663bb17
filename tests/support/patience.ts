/**
 * How long tests wait for what has to happen, in milliseconds. Only a hang lasts as long, even on a loaded machine:
 * no limit of time is an assertion.
 */

/** For one condition that a test waits for. */
export const WAIT_MS = 120_000;
/** For one test or hook, with all that it waits for. */
export const TEST_MS = 600_000;
