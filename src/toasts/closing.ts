/**
 * Closes, in every tab, the notifications whose toasts the user closed. Used by the presenter.
 */
import { Notification as LabNotification } from '@jupyterlab/apputils';

import type { INotificationModel } from '../tokens';
import type { Notification } from '../wire';

/**
 * Close notifications for all tabs, in one request.
 */
export function closeForAll(
  model: INotificationModel,
  ids: Iterable<string>
): void {
  const change = (
    rows: Notification[],
    state: { read: true } | { closed: true }
  ) => {
    if (rows.length > 0) {
      model
        .change({ ids: rows.map(row => row.id) }, state)
        .catch((error: Error) => {
          LabNotification.error(error.message, { autoClose: 5000 });
        });
    }
  };
  const rows = [...ids].flatMap(id => model.get(id) ?? []);
  // A message that its sender keeps in sight can be marked as read, but not closed.
  change(
    rows.filter(row => row.dismissable),
    { closed: true }
  );
  change(
    rows.filter(row => !row.dismissable),
    { read: true }
  );
}
