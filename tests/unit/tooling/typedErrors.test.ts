/** Typed errors keep their type to the screen, and one place puts them into words. */

import { describe, expect, it } from 'vitest';
import { readMessages, sourcesOf, wrappedErrors } from '../../support/wrappedErrors';

const found = (text: string) => wrappedErrors('planted.ts', text).length;

describe('typed errors', () => {
  it('are not put into plain ones anywhere in the app, the library and the platform', () => {
    const sources = ['src/web', 'src/lib', 'src/platform', 'src/domain', 'src/core'].flatMap(sourcesOf);
    expect(sources.length).toBeGreaterThan(200);
    expect(sources.flatMap(([path, text]) => wrappedErrors(path, text))).toEqual([]);
  });

  it('are found where they would be', () => {
    for (const planted of [
      'if (!done.ok) throw new Error(done.error.message);',
      `if (!done.ok) throw new Error(\`not imported (\${done.error.message})\`);`,
      'try { go(); } catch (error) { throw new Error(String(error)); }',
      'try { go(); } catch (thrown) { throw Error("It failed: " + thrown, { cause: thrown }); }',
      `go().catch((reason) => { throw new TypeError(\`\${reason}\`); });`,
      'go().then(next, function (why) { throw new Error(why); });',
      'const { error } = await go(); if (error) throw new Error(JSON.stringify(error));',
      'throw failed instanceof ConvoyError ? new Error(failed.message) : failed;',
      'throw typed ? typed : new Error(typed.detail.code);',
    ]) {
      expect(found(planted), planted).toBe(1);
    }
  });

  it('are kept by what is not found', () => {
    for (const kept of [
      'if (!done.ok) throw new ConvoyError(done.error);',
      'const error = thrown instanceof Error ? thrown : new Error(String(thrown));',
      'try { go(); } catch (error) { report(error instanceof Error ? error : new Error(String(error))); }',
      "throw new Error('The page has no element #app.');",
      `throw new Error(\`There is no table \${name}.\`);`,
      'try { go(); } catch { throw new Error("It cannot go."); }',
    ]) {
      expect(found(kept), kept).toBe(0);
    }
  });

  it('are put into words by one module of the app', () => {
    // Supabase Auth's sentences become messages of typed errors; an entry of the feed may hold a message.
    const allowed = new Set([
      'src/web/ui/errorText.ts error',
      'src/web/ui/errorText.ts destructured',
      'src/web/session/session.ts error',
      'src/web/session/session.ts destructured',
      'src/web/session/notLoaded.ts cause',
      'src/web/tasks/activityText.ts details',
    ]);
    const reads = sourcesOf('src/web')
      .flatMap(([path, text]) => readMessages(path, text))
      .map((place) => place.replace(/:\d+/, ''));
    expect(reads.filter((place) => !allowed.has(place))).toEqual([]);
    expect(readMessages('planted.tsx', '<p>{error.message}</p>')).toEqual(['planted.tsx:1 error']);
    const destructured = 'const { message: text } = error; const told = ({ message }) => message;';
    expect(readMessages('planted.ts', destructured)).toHaveLength(2);
  });
});
