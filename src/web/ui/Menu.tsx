import { type KeyboardEvent, type ReactNode, useRef, useState } from 'react';
import { Icon } from './Icon';
import { AGAIN_AND_AGAIN, later } from './later';
import type { MenuGroups } from './menuItem';

const MenuPopup = later(async () => (await import('./MenuPopup')).MenuPopup, undefined, AGAIN_AND_AGAIN);

interface MenuProps {
  /** Names the button for screen readers, and for all where it has no content of its own. */
  label: string;
  groups: MenuGroups;
  /** Content of the button; missing: three dots. */
  children?: ReactNode;
  className?: string;
}

/** A button that opens a menu of actions. */
export function Menu({ label, groups, children, className = 'button quiet square' }: MenuProps) {
  const button = useRef<HTMLButtonElement>(null);
  const [opened, setOpened] = useState<'by key' | 'by pointer' | null>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    setOpened('by key');
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className={className}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={opened !== null}
        title={children === undefined ? label : undefined}
        // Keys and screen readers click without a pointer.
        onClick={({ detail }) => setOpened(opened ? null : detail === 0 ? 'by key' : 'by pointer')}
        onKeyDown={onKeyDown}
      >
        {children ?? <Icon name="more" />}
      </button>
      {opened && button.current && (
        <MenuPopup
          label={label}
          groups={groups}
          anchor={button.current}
          align="end"
          before={button.current}
          isByKey={opened === 'by key'}
          onClose={() => setOpened(null)}
        />
      )}
    </>
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
export function MenuAt(props: MenuAtProps) {
  const before = useRef(document.activeElement);
  return <MenuPopup {...props} align="start" before={before.current} isByKey={false} />;
}
