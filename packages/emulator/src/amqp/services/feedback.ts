import { dataSection } from '../engine.ts';
import type { Link, LinkService } from '../link.ts';

const CONTENT_TYPE = 'application/vnd.microsoft.iothub.feedback.json';

/** Delivery feedback: records in batches, kept until a batch is accepted. */
export function feedback(link: Link): LinkService {
  const store = link.peer.cloud.feedback;
  const unsettled = new Set<ReturnType<typeof store.take>>();
  const pump = () => {
    while (link.hasCredit) {
      const records = store.take();
      if (records.length === 0) return;
      unsettled.add(records);
      link.send(
        { content_type: CONTENT_TYPE, body: dataSection(JSON.stringify(records)) },
        {
          onOutcome: (outcome) => {
            unsettled.delete(records);
            if (outcome !== 'accepted' && outcome !== 'rejected') store.putBack(records);
          },
        },
      );
    }
  };
  const off = store.available.on(pump);
  return {
    onCredit: pump,
    onClosed: () => {
      off();
      for (const records of unsettled) store.putBack(records);
    },
  };
}
