/** What every subject can do, each in its own way. A subject lives in a process of its own. */

export interface Setup {
  /** Folder of the local database. */
  folder: string;
  databaseUrl: string;
  serverUrl: string;
  anonKey: string;
  session: { access_token: string; refresh_token: string };
  userId: string;
  workspaceIds: string[];
}

export interface Edit {
  id: string;
  title: string;
}

export interface Synced {
  /** Rows that came in. */
  pulled: number;
  /** Bytes that travelled in. */
  received: number;
}

/** The ids in a context: equal for every subject. */
export interface ContextIds {
  task: string;
  milestone: string | null;
  project: string | null;
  workspace: string | null;
  parent: string | null;
  workflow: string | null;
  subtasks: string[];
  dependencies: string[];
  activities: string[];
  patterns: string[];
  best_practices: string[];
}

export interface Subject {
  /** Opens the local database; makes it where there is none. */
  open(): Promise<void>;
  /** Pushes and pulls everything there is. */
  sync(): Promise<Synced>;
  /** Gets hold of the records, as an application that shows them. @returns how to edit all of them in one transaction */
  prepareEdits(edits: readonly Edit[]): Promise<() => Promise<void>>;
  titles(ids: readonly string[]): Promise<string[]>;
  /** @returns a function that reads the ids of the rows read */
  context(taskId: string): Promise<() => ContextIds>;
  /** The title of a task, as the first thing that a screen shows. */
  firstRow(taskId: string): Promise<string>;
  /** The same context from the server; only of subjects that offer it. */
  remoteContext?(taskId: string): Promise<() => ContextIds>;
  /** Reads a context within its default limits, or whole. @returns its size as JSON, bytes; only of subjects that have limits */
  sizedContext?(taskId: string, reading: { isWhole: boolean; isRemote: boolean }): Promise<() => number>;
  /** Asks for the next task. @returns how to say that it is done, with its title; only of subjects that know what is ready */
  next?(scope: Record<string, string>, isRemote: boolean): Promise<() => Promise<string | null>>;
  /** Reads a context and renders it as text within a budget. @returns its o200k tokens; only of subjects that offer it */
  renderedContext?(taskId: string, maxTokens: number): Promise<number>;
  /** Requests of an idle hour; only of subjects that sync by themselves. */
  idleHour?(): Promise<{ polling: number; flowing: number }>;
  /** Shows a list of tasks from now on, those of a milestone, or all of them for null; only of subjects that have live lists. */
  watch?(milestoneId: string | null): void;
  /** The records that the list shows, and how many rows this process has read since. */
  watched?(): { shown: number; rowsRead: number };
  /** A call of the server that does nothing. */
  emptyCall(): Promise<void>;
  counts(): Promise<Record<string, number>>;
  close(): Promise<void>;
}
