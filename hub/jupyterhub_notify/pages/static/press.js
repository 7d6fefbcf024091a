/**
 * Presses that outlast what is pressed.
 */

const CONTROLS = 'a, button, input, select, summary, label';

/** Describe a control so that it is found again among others that were drawn anew. */
function nameOf(control) {
  const { tagName, id, name, textContent } = control;
  return [tagName, id, name, textContent.trim(), { ...control.dataset }];
}

/**
 * Let a press of the mouse reach what took the place of the pressed control meanwhile.
 *
 * Results and inbox are drawn anew when something changes. A browser drops the click whose control
 * went between the press and the release.
 */
export function keepPresses() {
  let pressed = null;
  document.addEventListener(
    'pointerdown',
    ({ target }) => {
      pressed = target.closest?.(CONTROLS) ?? null;
    },
    true
  );
  document.addEventListener(
    'pointerup',
    ({ target }) => {
      const before = pressed;
      const now = target.closest?.(CONTROLS);
      pressed = null;
      if (
        before &&
        now &&
        !before.isConnected &&
        JSON.stringify(nameOf(before)) === JSON.stringify(nameOf(now))
      ) {
        now.click();
      }
    },
    true
  );
}
