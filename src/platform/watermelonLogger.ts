import * as loggerModule from '@nozbe/watermelondb/utils/common/logger/index.js';

interface Logger {
  silence(): void;
}

/** Stops WatermelonDB from logging every step of opening a database to the console. */
export function silenceWatermelon(): void {
  const exported = loggerModule as unknown as { default: Logger & { default?: Logger } };
  (exported.default.default ?? exported.default).silence();
}
