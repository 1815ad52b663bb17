import type { ReactNode } from 'react';
import { Breadcrumbs } from '../ui/Breadcrumbs';
import { Menu } from '../ui/Menu';
import { RoleNote } from '../ui/RoleNote';
import styles from './PlaceHeader.module.css';

interface PlaceHeaderProps {
  trail: { name: string; href: string }[];
  title: string;
  /** Badges next to the title. */
  facts?: ReactNode;
  /** null: the user's role does not allow it. */
  onEdit: (() => void) | null;
  onDelete: (() => void) | null;
  /** Why not, where it is not allowed. */
  whyNot: string | null;
  noun: string;
  /** Why the user may not do what the page offers. */
  reasons?: (string | null)[];
  /** More controls, before the menu. */
  children?: ReactNode;
}

/** The head of a workspace's, project's or milestone's page, in a line where there is room: the list below it matters more. */
export function PlaceHeader({
  trail,
  title,
  facts,
  onEdit,
  onDelete,
  whyNot,
  noun,
  reasons = [],
  children,
}: PlaceHeaderProps) {
  return (
    <header className={styles.header}>
      <div className={styles.where}>
        <Breadcrumbs trail={trail} />
        <h1 className={styles.title} title={title} dir="auto">
          {title}
        </h1>
        {facts && <div className="facts">{facts}</div>}
      </div>
      <RoleNote reasons={reasons} isSmall />
      <div className={styles.actions}>
        {children}
        <Menu
          label={`More actions for the ${noun}`}
          groups={[
            [
              {
                label: `Edit ${noun}`,
                icon: 'edit',
                whyNot: onEdit ? null : whyNot,
                onSelect: () => onEdit?.(),
              },
            ],
            [
              {
                label: `Delete ${noun}`,
                icon: 'trash',
                isDangerous: true,
                whyNot: onDelete ? null : whyNot,
                onSelect: () => onDelete?.(),
              },
            ],
          ]}
        />
      </div>
    </header>
  );
}
