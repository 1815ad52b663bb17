import { Menu as Base } from '@base-ui/react/menu';
import { type ReactNode, useRef } from 'react';
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
  /** Of an item that is on or off by itself: the menu stays open. */
  isToggled?: boolean;
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
            <Groups groups={groups} />
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

interface MenuAtProps extends Pick<MenuProps, 'label' | 'groups'> {
  anchor: Element;
  onClose: () => void;
}

/**
 * A menu that is open as long as it is rendered, at a control that many others stand beside: each of them would cost a menu of
 * its own. The focus goes back to where it was.
 */
export function MenuAt({ label, groups, anchor, onClose }: MenuAtProps) {
  const before = useRef(document.activeElement);
  return (
    <Base.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Base.Portal>
        <Base.Positioner className={styles.positioner} anchor={anchor} align="start" sideOffset={4}>
          <Base.Popup
            className={styles.popup}
            aria-label={label}
            finalFocus={() => (before.current instanceof HTMLElement ? before.current : true)}
          >
            <Groups groups={groups} />
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

function Groups({ groups }: Pick<MenuProps, 'groups'>) {
  return groups
    .filter((items) => items.length > 0)
    .map((items, index) => (
      <Base.Group key={items[0]?.label} className={index > 0 ? styles.next : undefined}>
        {items.map((item) => (
          <Item key={item.label} item={item} />
        ))}
      </Base.Group>
    ));
}

function Item({ item }: { item: MenuItem }) {
  const { label, icon, whyNot = null, isDangerous, isChosen, isToggled, onSelect } = item;
  if (isToggled !== undefined) {
    return (
      <Base.CheckboxItem className={styles.item} checked={isToggled} onCheckedChange={onSelect}>
        {icon && <Icon name={icon} />}
        <span className={styles.label}>{label}</span>
        {isToggled && <Icon name="check" />}
      </Base.CheckboxItem>
    );
  }
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
