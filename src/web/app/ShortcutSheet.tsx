import { type PageAction, useAllActions } from '../actions/pageActions';
import { singleKeys, useSingleKeys } from '../actions/singleKeys';
import { Dialog } from '../ui/Dialog';
import styles from './ShortcutSheet.module.css';

/** The keys of the page that is shown, by part of the page. */
export function ShortcutSheet({ onClose }: { onClose: () => void }) {
  const areOn = useSingleKeys();
  const all = useAllActions();
  const groups = new Map<string, PageAction[]>();
  for (const action of all) {
    if (action.keys === undefined) continue;
    const { group = 'On this page' } = action;
    groups.set(group, [...(groups.get(group) ?? []), action]);
  }
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <label className={styles.choice}>
        <input type="checkbox" checked={areOn} onChange={({ target }) => singleKeys.turn(target.checked)} />
        Single letters are shortcuts
      </label>
      {[...groups].map(([group, actions]) => (
        <section key={group} className={styles.group}>
          <h3>{group}</h3>
          <dl>
            {actions.map(({ label, keys = '' }) => (
              <div key={label + keys}>
                <dt>{label}</dt>
                <dd>
                  {spelled(keys).map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}

const isApple = /Mac|iPhone|iPad/.test(navigator.platform);
const NAMES: Readonly<Record<string, string>> = {
  $mod: isApple ? '⌘' : 'Ctrl',
  ArrowDown: '↓',
  ArrowUp: '↑',
  ArrowLeft: '←',
  ArrowRight: '→',
  Escape: 'Esc',
};

/** @param keys in the form of tinykeys */
function spelled(keys: string): string[] {
  // A question mark needs Shift on most keyboards; people look for the sign.
  if (keys === 'Shift+?') return ['?'];
  return keys.split(/[+ ]/).map((key) => NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key));
}
