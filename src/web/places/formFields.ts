/** The form fields of workspaces, projects and milestones. */

import type { FieldSpec } from '../ui/FormDialog';
import { MILESTONE_STATUS_LABELS, PROJECT_STATUS_LABELS } from '../ui/labels';

const NAME = { name: 'name', label: 'Name', kind: 'text', required: true, max: 200 } as const;
const DESCRIPTION = { name: 'description', label: 'Description', kind: 'prose', max: 100_000 } as const;

export const WORKSPACE_FIELDS: FieldSpec<'name' | 'description'>[] = [NAME, DESCRIPTION];

export const PROJECT_FIELDS: FieldSpec<'name' | 'description' | 'overview' | 'status'>[] = [
  NAME,
  DESCRIPTION,
  {
    name: 'overview',
    label: 'Overview',
    kind: 'prose',
    max: 100_000,
    hint: 'What everybody who works on it should know. ## begins a heading, - an item of a list.',
  },
  { name: 'status', label: 'Status', kind: 'select', required: true, options: PROJECT_STATUS_LABELS },
];

export const MILESTONE_FIELDS: FieldSpec<
  'name' | 'description' | 'requirements' | 'status' | 'target_date'
>[] = [
  NAME,
  DESCRIPTION,
  {
    name: 'requirements',
    label: 'Requirements',
    kind: 'prose',
    max: 100_000,
    hint: 'What must hold when it is reached, one line each, beginning with -.',
  },
  { name: 'status', label: 'Status', kind: 'select', required: true, options: MILESTONE_STATUS_LABELS },
  { name: 'target_date', label: 'Target date', kind: 'date' },
];
