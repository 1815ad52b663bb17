/** Modules of WatermelonDB without declarations; each import states their type. */
declare module '@nozbe/watermelondb/adapters/sqlite/encodeQuery/index.js';
declare module '@nozbe/watermelondb/adapters/sqlite/encodeSchema/index.js';
declare module '@nozbe/watermelondb/observation/encodeMatcher/index.js';
