/** Modules of WatermelonDB that come without declarations; `watermelondb.ts` says what they are. */
declare module '@nozbe/watermelondb/adapters/sqlite/encodeQuery/index.js';
declare module '@nozbe/watermelondb/adapters/sqlite/encodeSchema/index.js';
