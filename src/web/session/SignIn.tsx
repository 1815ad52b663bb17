import { type FormEvent, type ReactNode, useEffect, useId, useState } from 'react';
import { useRoute } from 'wouter';
import type { ConvoyClient } from '@/lib/supabase/client';
import { preloadStorage } from '@/platform/web/preload';
import { routes } from '../routes';
import { ErrorNote } from '../ui/ErrorNote';
import { Field } from '../ui/Field';
import { Logo } from '../ui/Logo';
import { stageLabel } from '../ui/labels';
import { useAction } from '../ui/useAction';
import { type DemoAccount, readDemoAccounts } from './demoAccounts';
import { signIn, signUp, type User } from './session';

interface SignInProps {
  client: ConvoyClient;
  onEnter: (client: ConvoyClient, user: User) => void;
  /** Stands above the form. */
  notice: ReactNode;
  /** Of signing out. */
  trouble?: unknown;
  /** Other ways to start. */
  children: ReactNode;
}

/** Sign in, or make an account. */
export function SignIn({ client, onEnter, notice, trouble, children }: SignInProps) {
  const [isInvited] = useRoute(routes.invitation(':id'));
  const [isNew, setIsNew] = useState(false);
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const entering = useAction(async () => {
    const credentials = { email: email.trim(), password };
    const user = isNew
      ? await signUp(client, { ...credentials, name: name.trim() })
      : await signIn(client, credentials);
    onEnter(client, user);
  });

  const isFilledIn = email !== '' || password !== '';
  useEffect(() => {
    if (isFilledIn) preloadStorage();
  }, [isFilledIn]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!entering.isRunning) void entering.run();
  };
  const title = isNew ? 'Create an account' : 'Sign in';

  return (
    <main className="sign-in">
      <header className="sign-in-brand">
        <Logo />
        <p>People and agents, building software together. It works without a network, too.</p>
      </header>
      {notice}
      <ErrorNote error={trouble} />
      <form className="card form" onSubmit={submit} aria-labelledby="sign-in-title">
        <h1 id="sign-in-title">{title}</h1>
        {isInvited && <p>You have been invited to a workspace. Sign in or create an account to see it.</p>}
        {isNew && (
          <Field label="Your name" hint="Others see it next to what you do.">
            {(field) => (
              <input
                {...field}
                autoComplete="name"
                required
                maxLength={200}
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
        )}
        <Field label="Email">
          {(field) => (
            <input
              {...field}
              type="email"
              autoComplete="username"
              required
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
          )}
        </Field>
        <Field label="Password" hint={isNew ? 'At least 8 characters.' : undefined}>
          {(field) => (
            <input
              {...field}
              type="password"
              autoComplete={isNew ? 'new-password' : 'current-password'}
              required
              minLength={isNew ? 8 : undefined}
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
        <ErrorNote error={entering.error} />
        <button type="submit" className="button primary wide" disabled={entering.isRunning}>
          {entering.isRunning ? 'One moment …' : title}
        </button>
        <button
          type="button"
          className="button quiet wide"
          onClick={() => {
            setIsNew(!isNew);
            entering.clearError();
          }}
        >
          {isNew ? 'I have an account' : 'Create an account'}
        </button>
      </form>
      {children}
      {!isNew && (
        <DemoAccounts
          onPick={(account) => {
            setEmail(account.email);
            setPassword(account.password);
            entering.clearError();
          }}
        />
      )}
    </main>
  );
}

/** Fills in an account of the demo with one click. */
function DemoAccounts({ onPick }: { onPick: (account: DemoAccount) => void }) {
  const [accounts, setAccounts] = useState<DemoAccount[]>([]);
  const titleId = useId();
  useEffect(() => {
    let isShown = true;
    void readDemoAccounts().then((found) => isShown && setAccounts(found));
    return () => {
      isShown = false;
    };
  }, []);
  if (accounts.length === 0) return null;
  return (
    <section className="card" aria-labelledby={titleId}>
      <h2 id={titleId}>Try the demo</h2>
      <p className="muted">Pick an account to fill in the form, then sign in.</p>
      <ul className="demo-accounts">
        {accounts.map((account) => (
          <li key={account.email}>
            <button type="button" className="button" onClick={() => onPick(account)}>
              <strong>{stageLabel(account.role.toUpperCase())}</strong>
              <span className="muted">{account.email}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
