/**
 * Lets the time of toasts begin. The view asks for it while toasts stand.
 */

/** The event with which react-toastify has a toast's time begin; it listens for the first alone. */
const ENTERED = 'd';

/**
 * Let a toast's time begin if it should have begun.
 *
 * It begins with an event at the end of the animation with which the toast comes, and that event is
 * lost in two cases: a page that is busy draws the whole animation before React has set the
 * listener up, and a new state of the toast takes an animation away that was not drawn yet, as in a
 * hidden tab. A time that began already, and stands still for a reason, stays as it is.
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
