import { LINK_PATTERN, type Review } from '@/domain/reviews';
import styles from './FeedEntry.module.css';

interface ReviewFactsProps {
  review: Pick<Review, 'branch' | 'commit' | 'links'>;
  /** The request before: what is another one by now is told with it. */
  previous?: Pick<Review, 'branch' | 'commit'> | null;
}

/** Branch, commit and links of a request for review, as far as it has them. Text by members: only web addresses are links. */
export function ReviewFacts({ review, previous = null }: ReviewFactsProps) {
  const facts = [
    { name: 'Branch', value: review.branch, before: previous?.branch ?? null },
    { name: 'Commit', value: review.commit, before: previous?.commit ?? null },
  ].filter(({ value }) => value !== null);
  const links = review.links.filter((link) => LINK_PATTERN.test(link));
  if (facts.length + links.length === 0) return null;
  return (
    <ul className={styles.facts}>
      {facts.map(({ name, value, before }) => (
        <li key={name}>
          {name}: <code>{value}</code>
          {before !== null && before !== value && (
            <span className="muted">
              {' '}
              instead of <code>{before}</code>
            </span>
          )}
        </li>
      ))}
      {links.map((link) => (
        <li key={link}>
          <a href={link} target="_blank" rel="noopener noreferrer nofollow">
            {link}
          </a>
        </li>
      ))}
    </ul>
  );
}
