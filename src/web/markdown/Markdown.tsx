import { useEffect, useState } from 'react';
import { Elements } from './Elements';
import { markdownParser, type Parsed } from './parser';
import { isPlain, paragraphsOf } from './plain';

/**
 * Text by members as Markdown with GitHub's additions. It is data: no HTML of it becomes an element, no image of another
 * host is fetched, and a text that was made to be slow is shown as it was typed. Until it is parsed it is shown so, too.
 */
export function Markdown({ text }: { text: string }) {
  const parsed = useParsed(text);
  if (parsed === 'plain') {
    return (
      <div className="prose" dir="auto">
        {paragraphsOf(text).map(([key, paragraph]) => (
          <p key={key}>{paragraph}</p>
        ))}
      </div>
    );
  }
  return (
    <div className="prose" dir="auto">
      <Elements tree={parsed} />
    </div>
  );
}

function useParsed(text: string): Parsed {
  const known = isPlain(text) ? 'plain' : markdownParser.known(text);
  const [found, setFound] = useState<{ text: string; parsed: Parsed } | null>(null);
  useEffect(() => {
    if (known) return;
    let isWanted = true;
    void markdownParser.parse(text).then((parsed) => isWanted && setFound({ text, parsed }));
    return () => {
      isWanted = false;
    };
  }, [text, known]);
  return known ?? (found?.text === text ? found.parsed : 'plain');
}
