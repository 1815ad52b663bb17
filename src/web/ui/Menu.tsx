import { Menu as Base } from '@base-ui/react/menu';
import type { ReactNode } from 'react';
import { Icon, type IconName } from './Icon';
import styles from './Menu.module.css';

export interface MenuItem {
  label: string;
  icon?: IconName;
  /** Why it cannot be done; null or missing: it can. */
  whyNot?: string | null;
  isDangerous?: boolean;
  /** Of a choice among the items: whether it is the chosen one. */
  isChosen?: boolean;
  onSelect: () => void;
}

interface MenuProps {
  /** Names the button for screen readers, and for all where it has no content of its own. */
  label: string;
  /** Groups of items, a line between them. */
  groups: readonly (readonly MenuItem[])[];
  /** Content of the button; missing: three dots. */
  children?: ReactNode;
  className?: string;
}

/** A button that opens a menu of actions. */
export function Menu({ label, groups, children, className = 'button quiet square' }: MenuProps) {
  return (
    <Base.Root>
      <Base.Trigger
        className={className}
        aria-label={label}
        title={children === undefined ? label : undefined}
      >
        {children ?? <Icon name="more" />}
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner className={styles.positioner} align="end" sideOffset={4}>
          <Base.Popup className={styles.popup}>
            {groups
              .filter((items) => items.length > 0)
              .map((items, index) => (
                <Base.Group key={items[0]?.label} className={index > 0 ? styles.next : undefined}>
                  {items.map((item) => (
                    <Item key={item.label} item={item} />
                  ))}
                </Base.Group>
              ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

function Item({ item }: { item: MenuItem }) {
  const { label, icon, whyNot = null, isDangerous, isChosen, onSelect } = item;
  return (
    <Base.Item
      className={`${styles.item} ${isDangerous ? styles.danger : ''}`}
      disabled={whyNot !== null}
      onClick={onSelect}
      aria-current={isChosen ? 'true' : undefined}
    >
      {icon && <Icon name={icon} />}
      <span className={styles.label}>
        {label}
        {whyNot !== null && <span className={styles.why}>{whyNot}</span>}
      </span>
      {isChosen && <Icon name="check" />}
    </Base.Item>
  );
}
