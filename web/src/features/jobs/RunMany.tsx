/** Before many jobs start at once: which ones. */
import { useJobActions } from "~/features/jobs/actions";
import { texts } from "~/features/jobs/texts";
import { useTexts } from "~/lib/i18n";
import { Confirm } from "~/ui/Dialog";
import "~/features/jobs/over.css";

export default function RunMany({ jobs, onClose }: { jobs: readonly string[]; onClose: () => void }) {
  const t = useTexts(texts);
  const { bulk } = useJobActions();
  return (
    <Confirm
      title={t.runManyTitle(jobs.length)}
      verb={t.runMany(jobs.length)}
      busy={bulk.isPending}
      onConfirm={() => bulk.mutate({ what: "run", names: jobs }, { onSettled: onClose })}
      onClose={onClose}
    >
      <p>{t.runManyHelp}</p>
      <ul className="names">{jobs.map((name) => <li key={name}>{name}</li>)}</ul>
    </Confirm>
  );
}
