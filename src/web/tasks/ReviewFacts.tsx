import type { Activity } from '@/domain/entities';
import { asDetails, textIn } from '@/domain/entries';
import styles from './FeedEntry.module.css';

/** Where what is to be reviewed can be found, as the request says; nothing for other entries. */
export function ReviewFacts({ activity }: { activity: Activity }) {
  if (activity.activity_type !== 'review_requested') return null;
  const { branch, commit, links } = asDetails(activity.details);
  const facts = [
    ['Branch', textIn(branch)],
    ['Commit', textIn(commit)],
  ].filter((fact): fact is [string, string] => fact[1] !== null);
  const addresses = Array.isArray(links) ? links.flatMap((link) => textIn(link) ?? []) : [];
  if (facts.length + addresses.length === 0) return null;
  return (
    <ul className={styles.facts}>
      {facts.map(([name, value]) => (
        <li key={name}>
          {name}: <code>{value}</code>
        </li>
      ))}
      {addresses
        .filter((link) => /^https?:\/\//i.test(link))
        .map((link) => (
          <li key={link}>
            <a href={link} target="_blank" rel="noopener noreferrer nofollow">
              {link}
            </a>
          </li>
        ))}
    </ul>
  );
}
