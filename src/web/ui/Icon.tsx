/** Icons beside text or on labelled buttons; screen readers skip them. */

import {
  ArrowLeftRight,
  Bot,
  Check,
  ChevronDown,
  ChevronLeft,
  ChevronRight,
  CloudOff,
  Copy,
  Ellipsis,
  Folder,
  Inbox,
  Keyboard,
  Link,
  ListTodo,
  LogOut,
  type LucideIcon,
  MessageSquare,
  Monitor,
  Moon,
  Pencil,
  Plus,
  RefreshCw,
  RotateCcw,
  Search,
  Sun,
  Trash2,
  TriangleAlert,
  User,
  Users,
  X,
} from 'lucide-react';

const ICONS = {
  agent: Bot,
  check: Check,
  chevronDown: ChevronDown,
  chevronLeft: ChevronLeft,
  chevronRight: ChevronRight,
  close: X,
  cloudOff: CloudOff,
  comment: MessageSquare,
  conflict: ArrowLeftRight,
  copy: Copy,
  dark: Moon,
  edit: Pencil,
  inbox: Inbox,
  keyboard: Keyboard,
  light: Sun,
  link: Link,
  members: Users,
  more: Ellipsis,
  person: User,
  plus: Plus,
  project: Folder,
  search: Search,
  signOut: LogOut,
  sync: RefreshCw,
  system: Monitor,
  tasks: ListTodo,
  trash: Trash2,
  undo: RotateCcw,
  warning: TriangleAlert,
} as const satisfies Record<string, LucideIcon>;

export type IconName = keyof typeof ICONS;

export function Icon({ name }: { name: IconName }) {
  const Shape = ICONS[name];
  return <Shape className="icon" size={16} strokeWidth={1.75} aria-hidden focusable={false} />;
}
