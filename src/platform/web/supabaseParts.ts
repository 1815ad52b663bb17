/**
 * The parts of supabase-js that Convoy does not use, which `createClient` makes nonetheless: files and functions. No bundler can trim them:
 * 7 kB of compressed script. The build puts these in their place (vite.config.ts).
 */

export class StorageClient {}
export class StorageApiError extends Error {}

export class FunctionsClient {}
export class FunctionsError extends Error {}
export class FunctionsFetchError extends FunctionsError {}
export class FunctionsHttpError extends FunctionsError {}
export class FunctionsRelayError extends FunctionsError {}
export const FunctionRegion = {};
