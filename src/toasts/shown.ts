/**
 * The toasts that are on the page, or on their way there. The presenter says which those are.
 */
import { markToast } from '../ownToasts';
import type { INotificationModel } from '../tokens';
import type { Notification } from '../wire';
import { estimateHeight, signature, type ToastContents } from './content';
import { type IToastCandidate, rank } from './layout';
import type { ToastRelay } from './relay';
import type { ToastView } from './view';

/**
 * The time that a toast may take to appear before it no longer counts as shown:
 * JupyterLab shows none while its own list is open.
 */
const APPEAR_MS = 10_000;

/** A toast that was emitted. */
interface IShownToast {
  /** JupyterLab's id of it. */
  toast: string;
  /** Its content, to see whether that changed. */
  content: string;
  /** Its claim to a place. */
  rank: number;
  /** The time at which it was emitted. */
  since: number;
  /** True if it stays until it is closed. */
  sticky: boolean;
  /** True if it is on the page. */
  visible: boolean;
}

/**
 * Emits, refreshes and retracts the toasts of notifications, and knows which notification each
 * belongs to.
 */
export class ShownToasts {
  constructor(options: ShownToasts.IOptions) {
    this._options = options;
  }

  /** The ids of the notifications, oldest toast first. */
  get ids(): string[] {
    return [...this._shown.keys()];
  }

  /** Tell whether a notification has a toast. */
  has(id: string): boolean {
    return this._shown.has(id);
  }

  /** Tell whether its toast is on the page; undefined if it has none. */
  isVisible(id: string): boolean | undefined {
    return this._shown.get(id)?.visible;
  }

  /** The notification of a toast, by JupyterLab's id. */
  notificationOf(toast: string): string | undefined {
    return this._ids.get(toast);
  }

  /** The number of toasts that are in sight, or sure to be. */
  count(): number {
    let count = 0;
    for (const shown of this._shown.values()) {
      count += shown.sticky || isThere(shown) ? 1 : 0;
    }
    return count;
  }

  /** Toasts on the page, as candidates for the places that they have. */
  candidates(): IToastCandidate[] {
    const candidates: IToastCandidate[] = [];
    for (const [id, shown] of this._shown) {
      const row = this._options.model.get(id);
      if (row && isThere(shown)) {
        candidates.push({
          id,
          height: this._options.view.height(shown.toast) ?? this._height(row),
          urgency: shown.rank
        });
      }
    }
    return candidates;
  }

  /** A notification as a candidate for a place. */
  candidate(row: Notification, missed: boolean): IToastCandidate {
    return {
      id: row.id,
      height: this._height(row),
      urgency: this._rank(row, missed)
    };
  }

  /** Emit a toast, or replace the one that this notification has. */
  show(row: Notification, quiet: boolean): void {
    if (this._shown.has(row.id)) {
      this.refresh(row, true);
      return;
    }
    const { contents, relay } = this._options;
    const { message, autoClose, actions } = contents.content(row);
    const shown: IShownToast = {
      toast: '',
      content: signature(row),
      since: Date.now(),
      rank: this._rank(row, quiet),
      sticky: autoClose === false,
      visible: false
    };
    this._shown.set(row.id, shown);
    shown.toast = relay.notify(
      message,
      row.type,
      { autoClose, actions, data: markToast(row.id) },
      contents.dress(row, quiet, false)
    );
    this._ids.set(shown.toast, row.id);
  }

  /** Show a new state of a notification in the toast that it has. */
  refresh(row: Notification, force = false): void {
    const { contents, relay, view } = this._options;
    const shown = this._shown.get(row.id)!;
    const content = signature(row);
    view.expect(shown.toast, contents.dress(row, false, shown.visible));
    // A progress that moves is drawn in place: a new state of the toast would
    // restart its time and have it read out again.
    if (force || content !== shown.content) {
      const { message, autoClose, actions } = contents.content(row);
      shown.content = content;
      shown.sticky = autoClose === false;
      shown.rank = this._rank(row, false);
      relay.update({
        id: shown.toast,
        message,
        type: row.type,
        autoClose,
        actions,
        data: markToast(row.id)
      });
    }
  }

  /** Remove a toast, without that counting as the user's doing. */
  close(id: string): void {
    const shown = this._shown.get(id);
    if (shown) {
      const height = this._options.view.height(shown.toast);
      if (height !== undefined) {
        // The toast may be folded now, and was higher before.
        const known = this._heights.get(id) ?? 0;
        this._heights.set(id, Math.max(known, height));
      }
      this._forget(id, shown.toast);
      this._options.relay.retract(shown.toast);
    }
  }

  /** Forget the height of a notification that will not show again. */
  forgetHeight(id: string): void {
    this._heights.delete(id);
  }

  /** Note that a toast is on the page. */
  appeared(toast: string): void {
    const shown = this._shown.get(this._ids.get(toast) ?? '');
    if (shown) {
      shown.visible = true;
    }
    this._options.relay.appeared(toast);
  }

  /**
   * Note that a toast is gone from the page: its time was up, or JupyterLab's own list opened,
   * which removes all toasts. Returns false if it is not one of these toasts.
   */
  vanished(toast: string): boolean {
    const id = this._ids.get(toast) ?? '';
    const shown = this._shown.get(id);
    if (shown) {
      // The message stays in the center: a copy in JupyterLab's list would stay for ever.
      this.close(id);
      const row = this._options.model.get(id);
      if (row && shown.sticky) {
        // React-toastify may remove a toast that appears while another one leaves. Nobody has
        // closed it.
        this.show(row, true);
      }
    }
    return !!shown;
  }

  /** Note that JupyterLab removed a toast; returns its notification. */
  removed(toast: string): string | undefined {
    const id = this._ids.get(toast);
    if (id !== undefined) {
      this._forget(id, toast);
    }
    return id;
  }

  private _forget(id: string, toast: string): void {
    this._shown.delete(id);
    this._ids.delete(toast);
  }

  private _rank(row: Notification, missed: boolean): number {
    return rank(
      row.type,
      this._options.contents.duration(row) === false,
      missed
    );
  }

  /** Return the height of a notification's toast: that of its last toast, or else an estimate. */
  private _height(row: Notification): number {
    return this._heights.get(row.id) ?? estimateHeight(row);
  }

  private readonly _options: ShownToasts.IOptions;
  /** Oldest first. */
  private readonly _shown = new Map<string, IShownToast>();
  private readonly _ids = new Map<string, string>();
  /** The heights of toasts that there is no room for. */
  private readonly _heights = new Map<string, number>();
}

/** Tell whether a toast is on the page, or may still be on its way there. */
function isThere({ since, visible }: IShownToast): boolean {
  return visible || Date.now() - since < APPEAR_MS;
}

/**
 * The namespace of {@link ShownToasts}'s options.
 */
export namespace ShownToasts {
  /**
   * The parts of toasts that it puts together.
   */
  export interface IOptions {
    contents: ToastContents;
    model: INotificationModel;
    relay: ToastRelay;
    view: ToastView;
  }
}
