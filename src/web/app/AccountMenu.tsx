import { chooseTheme, type Theme, useTheme } from '../actions/theme';
import type { User } from '../session/session';
import { Icon, type IconName } from '../ui/Icon';
import { Menu } from '../ui/Menu';

interface AccountMenuProps {
  /** null: the device is used without an account. */
  user: User | null;
  onSignIn: () => void;
  onSignOut: () => void;
  onShortcuts: () => void;
}

const THEMES: readonly { theme: Theme; label: string; icon: IconName }[] = [
  { theme: 'system', label: 'Colours of the system', icon: 'system' },
  { theme: 'light', label: 'Light', icon: 'light' },
  { theme: 'dark', label: 'Dark', icon: 'dark' },
];

/** The account of this device, and how the app looks and is used here. */
export function AccountMenu({ user, onSignIn, onSignOut, onShortcuts }: AccountMenuProps) {
  const theme = useTheme();
  return (
    <>
      {user === null && (
        <button type="button" className="button primary" onClick={onSignIn}>
          Sign in
        </button>
      )}
      <Menu
        label={user === null ? 'Settings of this device' : `Account of ${user.email}`}
        className="button quiet account-button"
        groups={[
          THEMES.map(({ theme: choice, label, icon }) => ({
            label,
            icon,
            isChosen: choice === theme,
            onSelect: () => chooseTheme(choice),
          })),
          [{ label: 'Keyboard shortcuts', icon: 'keyboard', onSelect: onShortcuts }],
          user === null ? [] : [{ label: 'Sign out', icon: 'signOut', onSelect: onSignOut }],
        ]}
      >
        <Icon name="person" />
        <span className="account-name wide-only">{user?.email ?? 'This device'}</span>
        <Icon name="chevronDown" />
      </Menu>
    </>
  );
}
