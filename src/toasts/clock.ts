/**
 * Starts the time of toasts. The view calls it while toasts are on the page.
 */

/** The event at which react-toastify starts a toast's time; it listens only for the first one. */
const ENTERED = 'd';

/**
 * Start a toast's time if it should have started.
 *
 * An event at the end of the animation with which a toast appears starts its time. That event is
 * lost in two cases: a busy page draws the whole animation before React has set up the listener, or
 * a new state of the toast removes an animation that was not drawn yet, as in a hidden tab. A time
 * that has started, and is paused for a reason, stays paused.
 */
export function startTime(toast: HTMLElement): void {
  const bar = toast.querySelector<HTMLElement>('[role="progressbar"]');
  if (
    toast.dataset.jpNotify !== undefined &&
    bar?.style.animationPlayState === 'paused' &&
    !toast.className.includes('-enter')
  ) {
    toast.dispatchEvent(new Event(ENTERED));
  }
}
