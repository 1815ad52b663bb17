import { Fragment } from 'react';
import { Link } from 'wouter';
import { Icon } from './Icon';

/** Links to the places above this one, from the workspaces down. */
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
