import * as loggerModule from '@nozbe/watermelondb/utils/common/logger/index.js';

interface Logger {
  silence(): void;
}

/** WatermelonDB tells the console about every step of opening a database; Convoy reports by values. */
export function silenceWatermelon(): void {
  const exported = loggerModule as unknown as { default: Logger & { default?: Logger } };
  (exported.default.default ?? exported.default).silence();
}
