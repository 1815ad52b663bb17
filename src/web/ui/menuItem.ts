import type { IconName } from './Icon';

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
  /** It leads the focus into a field; else the focus goes back to where it was before the menu. */
  movesFocus?: boolean;
  onSelect: () => void;
}

/** Groups of items, a line between them. */
export type MenuGroups = readonly (readonly MenuItem[])[];
