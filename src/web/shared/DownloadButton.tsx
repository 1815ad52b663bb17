import { useDevice } from '../hooks/useDevice';
import { ErrorNote } from '../ui/ErrorNote';
import { saveFile } from '../ui/saveFile';
import { useAction } from '../ui/useAction';

interface DownloadButtonProps {
  label?: string;
  /** The content of the file; by default everything that is on this device only. */
  content?: () => Promise<unknown>;
}

/** Downloads what is on this device only as a JSON file. */
export function DownloadButton({ label = 'Download what is only here', content }: DownloadButtonProps) {
  const device = useDevice();
  const downloading = useAction(async () => {
    const saved = JSON.stringify(await (content ? content() : device.exportUnsynced()), null, 2);
    saveFile(`convoy-unsynced-${new Date().toISOString().slice(0, 10)}.json`, saved, 'application/json');
  });
  return (
    <>
      <button
        type="button"
        className="button"
        disabled={downloading.isRunning}
        onClick={() => void downloading.run()}
      >
        {label}
      </button>
      <ErrorNote error={downloading.error} />
    </>
  );
}
