/**
 * The bar that offers to undo a change.
 */
import { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import { Shared } from '../components/context';
import type { IUndo } from '../components/undo';

/** Time in ms that the bar stays; it is paused while the pointer or the focus is on the bar. */
const STAYS_MS = 8000;

/** The keys for undo, as this system's keyboards name them. */
const UNDO_KEYS = CommandRegistry.formatKeystroke('Accel Z');

/**
 * The bar.
 */
export function UndoBar(props: {
  undo: IUndo | null;
  onUndo(): void;
  onGone(): void;
}): JSX.Element {
  const { onGone } = props;
  const undo = props.undo?.label ? props.undo : null;
  const { trans } = React.useContext(Shared);
  const [held, setHeld] = React.useState(false);
  const rest = React.useRef(STAYS_MS);

  React.useEffect(() => {
    rest.current = STAYS_MS;
    setHeld(false);
  }, [undo]);
  React.useEffect(() => {
    if (!undo || held) {
      return;
    }
    const start = Date.now();
    const timer = setTimeout(onGone, rest.current);
    return () => {
      clearTimeout(timer);
      rest.current = Math.max(1000, rest.current - (Date.now() - start));
    };
  }, [undo, held]);

  return (
    // A screen reader reads a text aloud only if its region was there before it.
    <div className="jp-NotifyUndo-region" role="status">
      {undo && (
        <div
          className="jp-NotifyUndo"
          onMouseEnter={() => setHeld(true)}
          onMouseLeave={() => setHeld(false)}
          onFocus={() => setHeld(true)}
          onBlur={() => setHeld(false)}
        >
          <bdi className="jp-NotifyUndo-label">{undo.label}</bdi>
          <button
            type="button"
            title={trans.__('Undo (%1)', UNDO_KEYS)}
            onClick={props.onUndo}
          >
            {trans.__('Undo')}
          </button>
        </div>
      )}
    </div>
  );
}
