/** WatermelonDB declares no types for what it keeps its connections in. */
declare module '@nozbe/watermelondb/adapters/sqlite/sqlite-node/DatabaseBridge.js' {
  const bridge: unknown;
  export default bridge;
}
