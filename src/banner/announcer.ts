/**
 * Which messages of the banner a screen reader has yet to read out; no DOM.
 */
import type { NotificationModel } from '../tokens';
import type { Notification } from '../wire';

/**
 * Tells which messages a screen reader has yet to read out: each message of the banner once in a
 * page, and none that a toast announces.
 */
export class Announcer {
  /**
   * Learn what is announced elsewhere.
   *
   * To be called for every change, also before the banner is on the page.
   */
  hear(change: NotificationModel.IChange): void {
    for (const row of change.notifications) {
      if (
        row.banner &&
        row.autoClose !== 0 &&
        change.announced.includes(row.id)
      ) {
        this._said.add(name(row));
      }
    }
  }

  /**
   * Take the rows that were not read out yet; each is given out once.
   */
  take(rows: readonly Notification[]): Notification[] {
    const news = rows.filter(row => !this._said.has(name(row)));
    for (const row of news) {
      this._said.add(name(row));
    }
    return news;
  }

  private readonly _said = new Set<string>();
}

/** Return a name for a row that is new each time that the row asks for attention. */
function name(row: Notification): string {
  return `${row.id}@${row.position}`;
}
