import { Fragment } from 'react';
import { Link } from 'wouter';
import { Icon } from './Icon';

/** The way back up, from the workspaces to the place above this one. */
export function Breadcrumbs({ trail }: { trail: { name: string; href: string }[] }) {
  return (
    <nav className="breadcrumbs" aria-label="Where you are">
      {trail.map(({ name, href }, index) => (
        <Fragment key={href}>
          {index > 0 && <Icon name="chevronRight" />}
          <Link href={href}>{name}</Link>
        </Fragment>
      ))}
    </nav>
  );
}
