import { useCallback, useMemo } from 'react';
import { useLocation, useSearch } from 'wouter';
import { useNavigateFromHere } from '../../hooks/useNavigateFromHere';
import { type ListView, searchOf, viewFrom } from './view';

/** The view of a list, kept in the address: Back, and whoever gets the link, has it again. */
export function useListView(usual: ListView): [ListView, (view: ListView) => void] {
  const search = useSearch();
  const [location] = useLocation();
  const navigate = useNavigateFromHere();
  const view = useMemo(() => viewFrom(search, usual), [search, usual]);
  const show = useCallback(
    (next: ListView) => {
      const query = searchOf(next, usual, window.location.search);
      navigate(query === '' ? location : `${location}?${query}`, { replace: true });
    },
    [usual, location, navigate],
  );
  return [view, show];
}
