/**
 * Observes notifications for other extensions.
 */
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';

import { isActive } from '../state';
import type {
  INotificationModel,
  NotificationModel,
  Notifications
} from '../tokens';
import type { Notification } from '../wire';

/**
 * Call back for each notification that arrives or changes; see {@link INotifications.observe}.
 */
export function observe(
  model: INotificationModel,
  observer: (notification: Notification) => void,
  filter: Notifications.IFilter = {}
): IDisposable {
  const matches = (row: Notification) =>
    (filter.id === undefined || filter.id === row.id) &&
    (filter.key === undefined || filter.key === row.key) &&
    (filter.source === undefined || filter.source === row.source);
  // A message that was revoked comes without its key, so the ids of matching ones are remembered.
  const ids = new Set(model.notifications.filter(matches).map(row => row.id));
  const onChanged = (
    _: INotificationModel,
    change: NotificationModel.IChange
  ) => {
    for (const row of change.notifications) {
      const gone = !isActive(row);
      if (gone ? ids.delete(row.id) || matches(row) : matches(row)) {
        if (!gone) {
          ids.add(row.id);
        }
        observer(row);
      }
    }
  };
  model.changed.connect(onChanged);
  return new DisposableDelegate(() => {
    model.changed.disconnect(onChanged);
  });
}
