/**
 * The announcements of new messages for screen readers.
 */
import * as React from 'react';

import type { ICenterHost, IShared } from '../components/context';
import { visible } from '../text/visible';
import type { NotificationModel } from '../tokens';

/**
 * Return a sentence about the newest messages that only the center shows; toasts announce the
 * others themselves.
 */
export function useNews(host: ICenterHost, shared: IShared): string {
  const [news, setNews] = React.useState('');
  const { model, times, trans } = shared;
  React.useEffect(() => {
    const onChanged = (_: unknown, change: NotificationModel.IChange) => {
      const said = change.notifications.filter(
        row => row.autoClose === 0 && change.announced.includes(row.id)
      );
      if (!host.visible || said.length === 0) {
        return;
      }
      setNews(
        said.length === 1
          ? trans.__(
              'New notification: %1',
              visible(said[0].message.slice(0, 200))
            )
          : trans._n(
              '%2 new notification',
              '%2 new notifications',
              said.length,
              times.number.format(said.length)
            )
      );
    };
    model.changed.connect(onChanged);
    return () => {
      model.changed.disconnect(onChanged);
    };
  }, []);
  return news;
}
