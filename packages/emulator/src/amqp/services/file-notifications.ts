import { dataSection } from '../engine.ts';
import type { Link, LinkService } from '../link.ts';

/** How often the list is looked at while a service waits. */
const LOOK_EVERY_MS = 250;

/** Notifications of finished uploads, one a message, gone once accepted. */
export function fileNotifications(link: Link): LinkService {
  const { notifications } = link.peer.cloud.uploads;
  let cancel = () => {};
  const pump = () => {
    while (link.hasCredit && notifications.length > 0) {
      const one = notifications.shift() as (typeof notifications)[number];
      const message = { content_type: 'application/json', body: dataSection(JSON.stringify(one)) };
      link.send(message, {
        onOutcome: (outcome) => {
          if (outcome !== 'accepted' && outcome !== 'rejected') notifications.unshift(one);
        },
      });
    }
  };
  const look = () => {
    pump();
    cancel = link.peer.cloud.clock.after(LOOK_EVERY_MS, look);
  };
  look();
  return { onCredit: pump, onClosed: () => cancel() };
}
