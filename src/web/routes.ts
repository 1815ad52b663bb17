/** The addresses of the app, in one place. */
export const routes = {
  home: () => '/' as const,
  workspace: <Id extends string>(id: Id) => `/workspaces/${id}` as const,
  deleted: <Id extends string>(id: Id) => `/workspaces/${id}/deleted` as const,
  project: <Id extends string>(id: Id) => `/projects/${id}` as const,
  milestone: <Id extends string>(id: Id) => `/milestones/${id}` as const,
  task: <Id extends string>(id: Id) => `/tasks/${id}` as const,
  invitation: <Id extends string>(id: Id) => `/invitation/${id}` as const,
  sync: () => '/sync' as const,
};
