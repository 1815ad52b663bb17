import type { ReactNode } from 'react';
import { Breadcrumbs } from '../ui/Breadcrumbs';
import { Icon } from '../ui/Icon';

interface PlaceHeaderProps {
  trail: { name: string; href: string }[];
  title: string;
  /** Badges next to the title. */
  facts?: ReactNode;
  /** null: the user's role does not allow it. */
  onEdit: (() => void) | null;
  onDelete: (() => void) | null;
  noun: string;
}

/** The head of a workspace's, project's or milestone's page. */
export function PlaceHeader({ trail, title, facts, onEdit, onDelete, noun }: PlaceHeaderProps) {
  return (
    <header className="page-header">
      <Breadcrumbs trail={trail} />
      <div className="page-title">
        <h1>{title}</h1>
        <div className="page-actions">
          <button
            type="button"
            className="button"
            disabled={!onEdit}
            onClick={() => onEdit?.()}
            aria-label={`Edit ${noun}`}
          >
            <Icon name="edit" />
            Edit
          </button>
          <button
            type="button"
            className="button quiet-danger"
            disabled={!onDelete}
            onClick={() => onDelete?.()}
            aria-label={`Delete ${noun}`}
          >
            <Icon name="trash" />
            Delete
          </button>
        </div>
      </div>
      {facts && <div className="facts">{facts}</div>}
    </header>
  );
}
