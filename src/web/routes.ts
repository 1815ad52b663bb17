/** The addresses of the app, in one place. */
export const routes = {
  inbox: () => '/' as const,
  myTasks: () => '/my-tasks' as const,
  agents: () => '/agents' as const,
  workspaces: () => '/workspaces' as const,
  workspace: <Id extends string>(id: Id) => `/workspaces/${id}` as const,
  members: <Id extends string>(id: Id) => `/workspaces/${id}/members` as const,
  deleted: <Id extends string>(id: Id) => `/workspaces/${id}/deleted` as const,
  project: <Id extends string>(id: Id) => `/projects/${id}` as const,
  milestone: <Id extends string>(id: Id) => `/milestones/${id}` as const,
  /** @param reference the key or the id of a task */
  task: <Reference extends string>(reference: Reference) => `/tasks/${reference}` as const,
  invitation: <Id extends string>(id: Id) => `/invitation/${id}` as const,
  sync: () => '/sync' as const,
};

/** The address of a task: with its key, where it has one, which people can read out. */
export function taskAddress({ id, key }: { id: string; key: string | null }) {
  return routes.task(key ?? id);
}
