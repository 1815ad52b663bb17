/** Modules of WatermelonDB that come without declarations; whoever imports them says what they are. */
declare module '@nozbe/watermelondb/adapters/sqlite/encodeQuery/index.js';
declare module '@nozbe/watermelondb/adapters/sqlite/encodeSchema/index.js';
declare module '@nozbe/watermelondb/observation/encodeMatcher/index.js';
