import { createContext, useContext } from 'react';
import { countInbox, type Inbox } from '@/domain/inbox';
import { useDevice } from './useDevice';
import { useObservable } from './useObservable';

/** Read once for the whole page: the list, the counts and the notifications show the same. */
export const InboxContext = createContext<Inbox | undefined>(undefined);

/** The inbox of the user, live. @returns undefined until the local database has answered */
export function useInbox(): Inbox | undefined {
  return useContext(InboxContext);
}

export function useObservedInbox(): Inbox | undefined {
  const { contextService } = useDevice();
  return useObservable(() => contextService.observeInbox(), [contextService]);
}

/** @returns the number of items that wait for the user */
export function waitingIn(inbox: Inbox | undefined): number {
  return inbox === undefined ? 0 : countInbox(inbox);
}
