/**
 * Chooses the toasts that there is room for, so that they never bury the notebook.
 */
import type { Notification } from '../wire';

/**
 * A toast that is shown, or that asks to be.
 */
export interface IToastCandidate {
  /** The notification's id. */
  readonly id: string;
  /** Pixels, its margin included; measured or estimated. */
  readonly height: number;
  /** Its claim to a place; higher is more. */
  readonly urgency: number;
}

/**
 * The most toasts that stand at once.
 */
export const MOST_TOASTS = 4;

/**
 * The changes after which all toasts fit.
 */
export interface IToastPlan {
  /** Arriving messages to show, oldest first. */
  show: string[];
  /** Toasts that are not shown (any more), and have to be summed up. */
  sumUp: string[];
}

/**
 * The urgency of each type when there is no room for all.
 */
export function urgency(type: Notification['type']): number {
  return type === 'error' ? 2 : type === 'warning' ? 1 : 0;
}

/** The lowest rank of toasts that stay until the user acts. */
export const STAYS = 4;

/**
 * Return a toast's claim to a place: toasts that stay until the user acts go before those that
 * close by themselves, and among each of them the more severe go first. A toast of progress has a
 * low rank: the progress goes on without it, so a new message may take its place for a while.
 */
export function rank(
  type: Notification['type'],
  stays: boolean,
  missed: boolean
): number {
  return type === 'in-progress'
    ? 1
    : urgency(type) + (stays ? STAYS : missed ? 0 : 1);
}

/**
 * Decide which toasts stay, come, and are summed up.
 *
 * Newer toasts take the place of older ones, but never of more urgent ones.
 * During a flood no toast makes room for an equal: otherwise every message
 * would flash up for a moment and nobody could read any.
 *
 * @param shown - The toasts on the screen, oldest first.
 * @param arriving - The toasts that ask to be shown, oldest first.
 * @param room - Pixels for all toasts.
 * @param summary - Pixels of the toast that sums up, as soon as it is needed.
 * @param options - `most`: how many of those that pass may come at once; `flood`: whether they
 *   come faster than one can read; `summed`: whether something is summed up
 *   already.
 */
// Longer than a screen: the rules apply one after the other to one list.
export function planToasts(
  shown: readonly IToastCandidate[],
  arriving: readonly IToastCandidate[],
  room: number,
  summary: number,
  options: { most?: number; flood?: boolean; summed?: boolean } = {}
): IToastPlan {
  const { most = Infinity, flood = false, summed = false } = options;
  const attempt = (space: number): IToastPlan => {
    let used = shown.reduce((sum, { height }) => sum + height, 0);
    const staying = [...shown];
    const show: string[] = [];
    const sumUp: string[] = [];
    const evict = (index: number) => {
      const [victim] = staying.splice(index, 1);
      used -= victim.height;
      sumUp.push(victim.id);
    };
    // Newest first among equals, the most urgent before all.
    const queue = [...arriving].reverse().sort((a, b) => b.urgency - a.urgency);
    for (const candidate of queue) {
      const weaker = staying
        .map((toast, index) => ({ ...toast, index }))
        .filter(toast =>
          flood
            ? toast.urgency < candidate.urgency
            : toast.urgency <= candidate.urgency
        )
        .sort((a, b) => a.urgency - b.urgency || a.index - b.index);
      const victims: number[] = [];
      let free = space - used;
      let places = MOST_TOASTS - staying.length - show.length;
      for (const toast of weaker) {
        if (free >= candidate.height && places > 0) {
          break;
        }
        victims.push(toast.index);
        free += toast.height;
        places += 1;
      }
      // On an empty screen one toast always shows, however small the window.
      const alone = staying.length === victims.length && show.length === 0;
      if (
        (show.length < most || candidate.urgency >= STAYS) &&
        places > 0 &&
        (free >= candidate.height || alone)
      ) {
        victims.sort((a, b) => b - a).forEach(evict);
        show.push(candidate.id);
        used += candidate.height;
      } else {
        sumUp.push(candidate.id);
      }
    }
    // The window may have shrunk; the last toast stays nevertheless.
    while (used > space && staying.length > (show.length > 0 ? 0 : 1)) {
      const least = Math.min(...staying.map(toast => toast.urgency));
      evict(staying.findIndex(toast => toast.urgency === least));
    }
    const order = arriving.map(({ id }) => id);
    show.sort((a, b) => order.indexOf(a) - order.indexOf(b));
    return { show, sumUp };
  };

  if (summed) {
    return attempt(room - summary);
  }
  const all = attempt(room);
  return all.sumUp.length === 0 ? all : attempt(room - summary);
}
