import { Menu as Base } from '@base-ui/react/menu';
import { useEffect, useRef } from 'react';
import { Icon } from './Icon';
import styles from './Menu.module.css';
import type { MenuGroups, MenuItem } from './menuItem';

export interface MenuPopupProps {
  label: string;
  groups: MenuGroups;
  anchor: Element;
  /** The side of the anchor that it is in line with. */
  align: 'start' | 'end';
  /** Has the focus when the menu is closed. */
  before: Element | null;
  /** A key has opened it: its first item has the focus, unless one of them is the present value. */
  isByKey: boolean;
  onClose: () => void;
}

/** The menu itself, which is open as long as it is rendered. */
export function MenuPopup({ label, groups, anchor, align, before, isByKey, onClose }: MenuPopupProps) {
  /** The chosen item has led the focus elsewhere, such as into a field. */
  const isFocusMoved = useRef(false);
  const items = groups.flat();
  const first = items.find(({ isChosen }) => isChosen) ?? (isByKey ? items[0] : undefined);
  return (
    <Base.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Base.Portal>
        <Base.Positioner className={styles.positioner} anchor={anchor} align={align} sideOffset={4}>
          <Base.Popup
            className={styles.popup}
            aria-label={label}
            finalFocus={() => !isFocusMoved.current && (before instanceof HTMLElement ? before : true)}
          >
            {groups
              .filter((group) => group.length > 0)
              .map((group, index) => (
                <Base.Group key={group[0]?.label} className={index > 0 ? styles.next : undefined}>
                  {group.map((item) => (
                    <Item
                      key={item.label}
                      item={{
                        ...item,
                        onSelect: () => {
                          isFocusMoved.current = item.movesFocus === true;
                          item.onSelect();
                        },
                      }}
                      isFirst={item === first}
                    />
                  ))}
                </Base.Group>
              ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

function Item({ item, isFirst }: { item: MenuItem; isFirst: boolean }) {
  const { label, icon, whyNot = null, isDangerous, isChosen, isToggled, onSelect } = item;
  const element = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the focus begins here and then is the person's
  useEffect(() => {
    if (isFirst) element.current?.focus({ preventScroll: true });
  }, []);
  const told = (
    <>
      {icon && <Icon name={icon} />}
      <span className={styles.label}>
        {label}
        {whyNot !== null && <span className={styles.why}>{whyNot}</span>}
      </span>
      {(isToggled || isChosen) && <Icon name="check" />}
    </>
  );
  const common = { ref: element, disabled: whyNot !== null };
  if (isToggled !== undefined) {
    return (
      <Base.CheckboxItem {...common} className={styles.item} checked={isToggled} onCheckedChange={onSelect}>
        {told}
      </Base.CheckboxItem>
    );
  }
  return (
    <Base.Item
      {...common}
      className={`${styles.item} ${isDangerous ? styles.danger : ''}`}
      onClick={onSelect}
      // Radio items of Base UI would need a group with values beside the actions, and do not close the menu.
      role={isChosen === undefined ? 'menuitem' : 'menuitemradio'}
      aria-checked={isChosen}
    >
      {told}
    </Base.Item>
  );
}
